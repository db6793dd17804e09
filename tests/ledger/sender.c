// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sends one frame over and over, each time with the next number in it, until
 * SIGTERM or the last number.
 *
 *	sender INTERFACE PER_SECOND LAST < frame
 *
 * The number goes, as 64 bits in network order, behind the frame's mark
 * ("WSLAB" and a zero). Prints "sending" when the first frames are on their
 * way, and at the end how many numbers the kernel took, and how often it
 * refused one. A refused number is sent again: sendmmsg() returns the messages
 * before the refused one, and packet_snd() reports every frame that the driver
 * dropped (net/packet/af_packet.c, net/core/dev.c __dev_direct_xmit).
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 32
#define LONGEST 2048
#define SECOND 1000000000ULL

static const char mark[6] = "WSLAB";
static char frames[BURST][LONGEST];
static struct iovec parts[BURST];
static struct mmsghdr messages[BURST];
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

/* Where the number belongs in the frame; 0 when the frame has no mark. */
static size_t read_frames(void)
{
	ssize_t size = read(STDIN_FILENO, frames[0], LONGEST);
	char *found =
		size > 0 ? memmem(frames[0], size, mark, sizeof(mark)) : NULL;
	size_t at = found ? found + sizeof(mark) - frames[0] : 0;

	if (!found || at + sizeof(uint64_t) > (size_t)size)
		return 0;
	for (int i = 0; i < BURST; i++) {
		memcpy(frames[i], frames[0], size);
		parts[i] = (struct iovec){ frames[i], size };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	return at;
}

/* Until `number` frames are due since `start`; less when a signal comes. */
static void pace(const struct timespec *start, uint64_t number, uint64_t rate)
{
	uint64_t due = start->tv_nsec + number % rate * SECOND / rate;
	struct timespec until = {
		.tv_sec = start->tv_sec + number / rate + due / SECOND,
		.tv_nsec = due % SECOND,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int send_burst(int fd, size_t at, uint64_t first)
{
	int sent;

	for (int i = 0; i < BURST; i++) {
		uint64_t number = htobe64(first + i);

		memcpy(frames[i] + at, &number, sizeof(number));
	}
	sent = sendmmsg(fd, messages, BURST, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
		perror("sendmmsg");
		exit(1);
	}
	return sent > 0 ? sent : 0;
}

int main(int argc, char **argv)
{
	struct sigaction on_term = { .sa_handler = stop };
	uint64_t rate = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t last = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	uint64_t taken = 0, refused = 0;
	struct timespec start;
	size_t at = read_frames();
	int fd = argc == 4 && rate && at ? open_socket(argv[1]) : -1;

	if (fd < 0) {
		fprintf(stderr, "sender: %s\n",
			errno ? strerror(errno)
			      : "INTERFACE PER_SECOND LAST < marked frame");
		return 1;
	}
	sigaction(SIGTERM, &on_term, NULL);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!stopped && taken + BURST <= last) {
		int sent = send_burst(fd, at, taken);

		if (sent && !taken) {
			puts("sending");
			fflush(stdout);
		}
		taken += sent;
		refused += sent != BURST;
		pace(&start, taken, rate);
	}
	printf("%llu %llu\n", (unsigned long long)taken,
	       (unsigned long long)refused);
	return 0;
}
