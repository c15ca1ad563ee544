/* The games of bench/games.go, without a protocol: a message is a payload, the first one that a player gets is its seat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"

/* A broadcast's or a state's frame: two bytes, two of the length, and the payload. It lies ready all the time. */
enum { HEAD = 4, FRAME = HEAD + STATE, MOST_BURST = 64 };

struct room {
	enum kind kind;
	uint32_t seats, taken, top; /* seats there are; players; where the last one sits, and one */
	struct conn **players;      /* by seat; holes are NULL */
	struct room *next;          /* with a seat left */
	int64_t due;                /* the next tick, ns */
	uint64_t sent;              /* of a hall: broadcasts */
	uint8_t frame[FRAME];
};

static struct room *vacant[KINDS]; /* rooms with a seat left */
static struct room *hall;
static struct room **ticking; /* a heap by due */
static size_t rooms;
static int64_t period;
static uint32_t seats_of[KINDS] = {[FANOUT] = 1 << 20, [CAPACITY] = CAPACITY_SEATS, [ECHO] = 1 << 20};
static long pace, window;

static uint32_t late[1 << 20]; /* ns, of the window; touched as far as it is used */
static size_t steps, skipped;

void games_begin(long rate, long seats)
{
	period = 1000000000 / (rate > 0 ? rate : 1);
	seats_of[ROOMS] = seats > 0 ? seats : 1;
}

int games_kind(const char *name, size_t n)
{
	static const char *names[KINDS] = {"rooms", "fanout", "capacity", "echo"};
	for (int k = 0; k < KINDS; k++)
		if (strlen(names[k]) == n && memcmp(names[k], name, n) == 0)
			return k;
	return -1;
}

/* sink moves the heap's first room down to where it belongs. */
static void sink(void)
{
	struct room *r = ticking[0];
	size_t i = 0;
	for (size_t k; (k = 2 * i + 1) < rooms; i = k) {
		if (k + 1 < rooms && ticking[k + 1]->due < ticking[k]->due)
			k++;
		if (r->due <= ticking[k]->due)
			break;
		ticking[i] = ticking[k];
	}
	ticking[i] = r;
}

static void begin_ticks(struct room *r)
{
	if ((rooms & (rooms + 1)) == 0)
		ticking = realloc(ticking, (rooms + 1) * 2 * sizeof *ticking);
	r->due = now() + period;
	size_t i = rooms++;
	for (; i > 0 && ticking[(i - 1) / 2]->due > r->due; i = (i - 1) / 2)
		ticking[i] = ticking[(i - 1) / 2];
	ticking[i] = r;
}

static struct room *open_room(enum kind kind)
{
	struct room *r = calloc(1, sizeof *r);
	r->kind = kind;
	r->seats = seats_of[kind];
	memcpy(r->frame, (uint8_t[HEAD]){0x82, 126, 0, STATE}, HEAD);
	r->next = vacant[kind];
	vacant[kind] = r;
	if (kind == ROOMS)
		begin_ticks(r);
	else if (kind == FANOUT)
		hall = r;
	return r;
}

void games_join(struct conn *c, enum kind kind)
{
	struct room *r = vacant[kind] != NULL ? vacant[kind] : open_room(kind);
	uint32_t seat = r->top;
	if (r->taken < r->top)
		for (seat = 0; r->players[seat] != NULL; seat++)
			;
	else if ((r->top & (r->top - 1)) == 0)
		r->players = realloc(r->players, (r->top ? r->top * 2 : 1) * sizeof *r->players);
	if (seat == r->top)
		r->top++;
	r->players[seat] = c;
	if (++r->taken == r->seats)
		vacant[kind] = r->next;
	c->room = r;
	c->seat = seat;
	put(c, (uint8_t[]){0x82, 1, seat}, 3);
}

void games_leave(struct conn *c)
{
	struct room *r = c->room;
	if (r == NULL)
		return;
	r->players[c->seat] = NULL;
	if (r->taken-- == r->seats) {
		r->next = vacant[r->kind];
		vacant[r->kind] = r;
	}
	c->room = NULL;
}

/* The one write per client and tick. */
static void cast(struct room *r, const uint8_t *b, size_t n)
{
	for (uint32_t i = 0; i < r->top; i++)
		if (r->players[i] != NULL)
			put(r->players[i], b, n);
}

/* echo sends m back, in a frame that is built where m's own header was. */
static void echo(struct conn *c, uint8_t *m, size_t n)
{
	if (n < 126) {
		m[-2] = 0x82, m[-1] = n;
		put(c, m - 2, n + 2);
	} else {
		m[-4] = 0x82, m[-3] = 126, m[-2] = n >> 8, m[-1] = n;
		put(c, m - 4, n + 4);
	}
}

void games_message(struct conn *c, uint8_t *m, size_t n)
{
	struct room *r = c->room;
	switch (r->kind) {
	case ROOMS:
		if (n == INPUT)
			memcpy(r->frame + HEAD + c->seat % STAMPS * STAMP, m, STAMP);
		break;
	case FANOUT:
		if (n == INPUT) {
			c->speaks = true;
			memcpy(&c->seen, m + STAMP, sizeof c->seen);
		}
		break;
	case CAPACITY:
		if (n == EVENT)
			echo(c, m, n);
		break;
	default:
		if (n == INPUT)
			echo(c, m, n);
	}
}

/* tick runs what is due and returns in how many ns the next one is. Missed ticks are left out, as Volley does by default. */
static int64_t tick(void)
{
	for (;;) {
		struct room *r = ticking[0];
		int64_t by = now() - r->due;
		if (by < 0)
			return -by;
		skipped += by / period;
		r->due += by / period * period;
		late[steps++ % (sizeof late / sizeof *late)] = by % period;
		r->due += period;
		sink();
		cast(r, r->frame, FRAME);
	}
}

/* volley sends the next broadcasts, if the window allows them, and says whether it did. Several that wait go in one write: as
 * many system calls as Volley makes. */
static bool volley(void)
{
	static uint8_t frames[MOST_BURST * FRAME];
	uint64_t slowest = hall->sent;
	for (uint32_t i = 0; i < hall->top; i++) {
		struct conn *c = hall->players[i];
		if (c != NULL && c->speaks && c->seen < slowest)
			slowest = c->seen;
	}
	if (pace == 0 || hall->sent + pace > slowest + window)
		return false;
	for (long i = 0; i < pace; i++) {
		uint8_t *f = frames + i * FRAME;
		int64_t stamp = now();
		memcpy(f, hall->frame, FRAME);
		hall->sent++;
		memcpy(f + HEAD, &stamp, STAMP);
		memcpy(f + HEAD + STAMP, &hall->sent, sizeof hall->sent);
	}
	cast(hall, frames, pace * FRAME);
	return true;
}

int games_run(void)
{
	if (hall != NULL && volley())
		return 0;
	if (rooms == 0)
		return -1;
	return (tick() + 999999) / 1000000; /* rooms that are due within a millisecond are served by one waking */
}

void games_broadcast(long burst, long ahead)
{
	pace = burst < MOST_BURST ? burst : MOST_BURST;
	window = ahead > pace ? ahead : pace;
}

static int less(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

size_t games_report(char *out, size_t size, bool reset)
{
	static const double shown[] = {0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100}; /* bench/latency.go */
	size_t n = steps < sizeof late / sizeof *late ? steps : sizeof late / sizeof *late;
	int at = snprintf(out, size, "{\"steps\":%zu,\"skipped\":%zu", steps, skipped);
	qsort(late, n, sizeof *late, less);
	for (size_t i = 0; n > 0 && i < sizeof shown / sizeof *shown; i++) {
		double rank = shown[i] / 100 * n;
		size_t k = rank > (size_t)rank ? rank + 1 : rank;
		at += snprintf(out + at, size - at, "%s{\"p\":%g,\"us\":%.3f}", i == 0 ? ",\"lateness\":[" : ",", shown[i],
			late[k > 0 ? k - 1 : 0] / 1e3);
	}
	at += snprintf(out + at, size - at, n > 0 ? "]}" : "}");
	if (reset)
		steps = skipped = 0;
	return at;
}
