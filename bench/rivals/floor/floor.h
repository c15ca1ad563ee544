/* What the files of the floor share. floor.c says what it is. */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INPUT = 24, STATE = 200, EVENT = 512, STAMP = 8, STAMPS = STATE / STAMP - 1, CAPACITY_SEATS = 10 };

enum kind { ROOMS, FANOUT, CAPACITY, ECHO, KINDS };

struct room;

struct conn {
	int fd;
	bool open;         /* upgraded */
	bool speaks;       /* of a hall: it says which broadcast it has */
	uint64_t seen;     /* the last one */
	struct room *room; /* none before the upgrade */
	uint32_t seat, held, queued, room_for; /* bytes at in, at out; the size of out */
	uint8_t *in;  /* the beginning of a frame, or of a request */
	uint8_t *out; /* what the kernel has not taken */
};

/* What the bench's spec says. */
struct spec {
	long rate, clients;
	bool reuse_port;
};

/* floor.c */
void put(struct conn *c, const uint8_t *b, size_t n); /* writes; what does not go now goes later */
int64_t now(void);                                    /* CLOCK_MONOTONIC, ns: the bench's clock */

/* games.c */
void games_begin(long rate, long seats);
int games_kind(const char *name, size_t n); /* -1: there is none */
void games_join(struct conn *c, enum kind kind);
void games_leave(struct conn *c);
void games_message(struct conn *c, uint8_t *m, size_t n);
int games_run(void); /* what is due; returns how many ms there is nothing to do, -1: for ever */
void games_broadcast(long burst, long window);
size_t games_report(char *out, size_t n, bool reset); /* JSON */

/* upgrade.c */
int upgrade(struct conn *c, const char *request, size_t n); /* answers it; bytes of it, 0: not whole, -1: refused */

#endif
