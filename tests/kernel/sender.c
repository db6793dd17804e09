// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sends one frame over and over, as fast as the kernel takes it, until SIGTERM.
 *
 *	sender INTERFACE < frame
 *
 * Prints "sending" when the first frames are on their way, and at the end how
 * many the kernel took. A frame that it refuses (ENOBUFS: the ring of a veth is
 * full) is not counted and is sent again: sendmmsg() returns the messages
 * before the refused one, and packet_snd() reports every frame that the driver
 * dropped (net/packet/af_packet.c, net/core/dev.c __dev_direct_xmit).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BURST 64

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(interface),
	};
	int bypass = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass,
				 sizeof(bypass)))
		return -1;
	return bind(fd, (void *)&address, sizeof(address)) ? -1 : fd;
}

int main(int argc, char **argv)
{
	struct sigaction on_term = { .sa_handler = stop };
	struct mmsghdr messages[BURST] = {};
	unsigned long taken = 0, refused = 0;
	char frame[2048];
	struct iovec part = { .iov_base = frame };
	ssize_t size = read(STDIN_FILENO, frame, sizeof(frame));
	int fd = argc == 2 && size > 0 ? open_socket(argv[1]) : -1;

	if (fd < 0) {
		perror("sender");
		return 1;
	}
	sigaction(SIGTERM, &on_term, NULL);
	part.iov_len = size;
	for (int i = 0; i < BURST; i++) {
		messages[i].msg_hdr.msg_iov = &part;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (!stopped) {
		int sent = sendmmsg(fd, messages, BURST, 0);

		if (sent < 0 && errno != ENOBUFS && errno != EAGAIN &&
		    errno != EINTR) {
			perror("sendmmsg");
			return 1;
		}
		if (sent > 0 && !taken) {
			puts("sending");
			fflush(stdout);
		}
		taken += sent > 0 ? sent : 0;
		refused += sent != BURST;
	}
	printf("%lu %lu\n", taken, refused);
	return 0;
}
