/*
 * The floor: what a game server of WebSockets costs at least on this machine. One thread, one epoll, and the system calls that
 * every server of the kind has to make: accept4, recv, one write per client and tick. Everything else is as little as it can be
 * without being wrong: partial reads and writes are kept, masks undone, frames checked, slow clients bounded.
 *
 * Its lines on standard input and output are the bench's (bench/plug.go, bench/wire.go).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "floor.h"

enum { EVENTS = 128, READ = 64 << 10, MOST_QUEUED = 4 << 20 };

static int ep, listener;
static bool full; /* no more files: the listener is not watched until a connection ends */

int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void watch(int op, int fd, uint32_t events, void *who)
{
	struct epoll_event e = {.events = events, .data.ptr = who};
	epoll_ctl(ep, op, fd, &e);
}

/* A connection ends where its events are handled, and nowhere else: then no list of events or players has a dead one. */
static void end(struct conn *c)
{
	games_leave(c);
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
	if (full)
		watch(EPOLL_CTL_MOD, listener, EPOLLIN, &listener);
	full = false;
}

static void give_up(struct conn *c) { shutdown(c->fd, SHUT_RDWR); } /* its event comes */

void put(struct conn *c, const uint8_t *b, size_t n)
{
	ssize_t sent = 0;
	if (c->queued == 0) {
		sent = send(c->fd, b, n, MSG_NOSIGNAL);
		if (sent == (ssize_t)n)
			return;
		if (sent < 0 && errno != EAGAIN)
			return; /* epoll says so too */
		sent = sent < 0 ? 0 : sent;
		watch(EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT, c);
	}
	n -= sent;
	if (c->queued + n > MOST_QUEUED) {
		give_up(c);
		return;
	}
	if (c->queued + n > c->room_for) {
		c->room_for = (c->queued + n) * 2;
		c->out = realloc(c->out, c->room_for);
	}
	memcpy(c->out + c->queued, b + sent, n);
	c->queued += n;
}

static void flush(struct conn *c)
{
	ssize_t sent = send(c->fd, c->out, c->queued, MSG_NOSIGNAL);
	if (sent <= 0)
		return;
	c->queued -= sent;
	memmove(c->out, c->out + sent, c->queued);
	if (c->queued == 0) {
		free(c->out);
		c->out = NULL, c->room_for = 0;
		watch(EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
	}
}

static void unmask(uint8_t *m, size_t n, const uint8_t key[4])
{
	uint64_t wide;
	uint8_t twice[8] = {key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]};
	memcpy(&wide, twice, 8);
	for (; n >= 8; n -= 8, m += 8) {
		uint64_t v;
		memcpy(&v, m, 8);
		v ^= wide;
		memcpy(m, &v, 8);
	}
	for (size_t i = 0; i < n; i++)
		m[i] ^= key[i & 3];
}

/* frame handles the first frame of b and returns how many bytes that are; 0: it is not whole, -1: the connection has to end.
 * Messages in parts are refused. */
static ssize_t frame(struct conn *c, uint8_t *b, size_t n)
{
	if (n < 6)
		return 0;
	size_t length = b[1] & 127, head = 6;
	if (length == 126) {
		head = 8;
		length = b[2] << 8 | b[3];
	}
	if ((b[1] & 128) == 0 || (b[0] & 0xf0) != 0x80 || length == 127 || head + length > READ / 2)
		return -1;
	if (n < head + length)
		return 0;
	uint8_t *m = b + head, key[4];
	memcpy(key, m - 4, 4);
	unmask(m, length, key);
	switch (b[0] & 15) {
	case 1:
	case 2:
		games_message(c, m, length);
		return head + length;
	case 9:
		if (length > 125)
			return -1;
		m[-2] = 0x8a, m[-1] = length;
		put(c, m - 2, length + 2);
		return head + length;
	case 8: /* a close is answered by the same */
		if (length <= 125) {
			m[-2] = 0x88, m[-1] = length;
			put(c, m - 2, length + 2);
		}
		return -1;
	case 10:
		return head + length;
	}
	return -1;
}

/* receive reads once, handles what is whole, and keeps the rest; false: the connection has ended. */
static bool receive(struct conn *c)
{
	static uint8_t buffer[2 * READ];
	if (c->held > 0)
		memcpy(buffer, c->in, c->held);
	ssize_t got = recv(c->fd, buffer + c->held, READ, 0);
	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	size_t n = c->held + got;
	uint8_t *b = buffer;
	while (n > 0) {
		ssize_t used = c->open ? frame(c, b, n) : upgrade(c, (char *)b, n);
		if (used < 0)
			return false;
		if (used == 0)
			break;
		b += used;
		n -= used;
	}
	free(c->in);
	c->in = NULL, c->held = n;
	if (n > 0)
		c->in = memcpy(malloc(n), b, n);
	return true;
}

static void welcome(void)
{
	for (int i = 0; i < EVENTS; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE) {
				full = true;
				watch(EPOLL_CTL_MOD, listener, 0, &listener);
			}
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct conn *c = calloc(1, sizeof *c);
		c->fd = fd;
		watch(EPOLL_CTL_ADD, fd, EPOLLIN, c);
	}
}

/* number is the value of a key in a line of JSON that the bench has written; true is 1. */
static long number(const char *line, const char *key)
{
	const char *p = strstr(line, key);
	if (p == NULL)
		return 0;
	p += strlen(key);
	return *p == 't' ? 1 : strtol(p, NULL, 10);
}

static void obey(const char *line)
{
	char report[2048] = "";
	if (strstr(line, "\"do\":\"broadcast\"") != NULL)
		games_broadcast(number(line, "\"burst\":"), number(line, "\"window\":"));
	else if (strstr(line, "\"do\":\"allocs\"") == NULL)
		games_report(report, sizeof report, number(line, "\"reset\":"));
	if (strstr(line, "\"do\":\"settle\"") != NULL)
		malloc_trim(0);
	if (report[0] == 0)
		puts("{}");
	else
		printf("{\"server\":%s}\n", report);
	fflush(stdout);
}

/* commands reads what there is of the bench's lines; false: the bench is gone. */
static bool commands(void)
{
	static char line[4096];
	static size_t held;
	ssize_t got = read(0, line + held, sizeof line - 1 - held);
	if (got <= 0)
		return false;
	held += got;
	line[held] = 0;
	for (char *nl; (nl = strchr(line, '\n')) != NULL;) {
		*nl = 0;
		obey(line);
		held -= nl + 1 - line;
		memmove(line, nl + 1, held + 1);
	}
	return true;
}

/* listen_as opens the spec's port and tells the bench where. It understands what the bench says of a server on this machine. */
static bool listen_as(const char *spec)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof at;
	char host[64] = "";
	int port = 0, one = 1;
	const char *addr = strstr(spec, "\"addr\":\"");
	if (addr == NULL || sscanf(addr, "\"addr\":\"%63[0-9.]:%d", host, &port) != 2 || inet_aton(host, &at.sin_addr) == 0 ||
		strstr(spec, "\"transport\":\"ws\"") == NULL || number(spec, "\"tls\":")) {
		puts("{\"err\":\"the floor serves plain WebSockets on an IPv4 address\"}");
		return false;
	}
	at.sin_port = htons(port);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (number(spec, "\"reuse_port\":"))
		setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 4096) != 0) {
		printf("{\"err\":\"listen: %s\"}\n", strerror(errno));
		return false;
	}
	getsockname(listener, (struct sockaddr *)&at, &size);
	games_begin(number(spec, "\"rate\":"), number(spec, "\"clients\":"));
	printf("{\"addr\":\"%s:%d\"}\n", inet_ntoa(at.sin_addr), ntohs(at.sin_port));
	return true;
}

static void serve(void)
{
	struct epoll_event events[EVENTS];
	for (int wait = -1;; wait = games_run()) {
		int n = epoll_wait(ep, events, EVENTS, wait);
		for (int i = 0; i < n; i++) {
			void *who = events[i].data.ptr;
			struct conn *c = who;
			if (who == &listener)
				welcome();
			else if (who == NULL) {
				if (!commands())
					return;
			} else {
				if (events[i].events & EPOLLOUT)
					flush(c);
				if ((events[i].events & ~EPOLLOUT) && !receive(c))
					end(c);
			}
		}
	}
}

int main(void)
{
	char spec[4096];
	struct rlimit files;
	setvbuf(stdin, NULL, _IONBF, 0); /* what comes after the first line is read(2) in commands */
	if (fgets(spec, sizeof spec, stdin) == NULL)
		return 0;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	ep = epoll_create1(EPOLL_CLOEXEC);
	bool listens = listen_as(spec);
	fflush(stdout);
	if (!listens)
		return 0;
	watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener);
	watch(EPOLL_CTL_ADD, 0, EPOLLIN, NULL);
	serve();
	return 0;
}
