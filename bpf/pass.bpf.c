// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Lets everything through. Most drivers can send what other NICs redirect to
 * them only while they carry a program (ndo_xdp_xmit needs send queues of its
 * own): this is that program, for a NIC that filters nothing itself.
 */
#include <wirespeed.h>

enum verdict { PASSED, VERDICTS };

WS_PIPELINE("pass", "0.1.0");
WS_VERDICTS(VERDICTS);

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return ws_verdict(ctx, PASSED, XDP_PASS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
