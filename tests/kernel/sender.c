// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sends one frame over and over, as fast as the kernel takes it, until SIGTERM.
 *
 *	sender INTERFACE [ADDRESSES] < frame
 *
 * With ADDRESSES, each frame has another IPv4 source: the frame's own, and so
 * many after it in turn. (The header's checksum is left as it was.)
 *
 * Prints "sending" when the first frames are on their way, and at the end how
 * many the kernel took. A frame that it refuses (ENOBUFS: the ring of a veth is
 * full) is not counted and is sent again: sendmmsg() returns the messages
 * before the refused one, and packet_snd() reports every frame that the driver
 * dropped (net/packet/af_packet.c, net/core/dev.c __dev_direct_xmit).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BURST 64
#define SOURCE 26 /* of an IPv4 header behind an Ethernet header */

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

static void number(char *frame, unsigned int source)
{
	source = htonl(source);
	memcpy(frame + SOURCE, &source, sizeof(source));
}

int main(int argc, char **argv)
{
	struct sigaction on_term = { .sa_handler = stop };
	struct mmsghdr messages[BURST] = {};
	unsigned long taken = 0, refused = 0;
	static char frames[BURST][2048];
	struct iovec parts[BURST];
	ssize_t size = read(STDIN_FILENO, frames[0], sizeof(frames[0]));
	int fd = argc >= 2 && size > SOURCE + 4 ? open_socket(argv[1]) : -1;
	unsigned int addresses = argc > 2 ? atoi(argv[2]) : 0, first, next = 0;

	if (fd < 0) {
		perror("sender");
		return 1;
	}
	sigaction(SIGTERM, &on_term, NULL);
	memcpy(&first, frames[0] + SOURCE, sizeof(first));
	first = ntohl(first);
	for (int i = 0; i < BURST; i++) {
		memcpy(frames[i], frames[0], size);
		parts[i] = (struct iovec){ frames[i], size };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (!stopped) {
		for (int i = 0; addresses && i < BURST; i++)
			number(frames[i], first + next++ % addresses);
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
