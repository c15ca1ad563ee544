/* The upgrade from HTTP to WebSocket: one request in, one answer out. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "floor.h"

static uint32_t turn(uint32_t x, int n) { return x << n | x >> (32 - n); }

/* sha1 is FIPS 180-4, for the 60 bytes of a key and its suffix: they fill two blocks. */
static void sha1(const uint8_t *m, size_t n, uint8_t sum[20])
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint8_t block[128] = {0};
	memcpy(block, m, n);
	block[n] = 0x80;
	block[126] = n * 8 >> 8;
	block[127] = n * 8;
	for (uint8_t *p = block; p < block + sizeof block; p += 64) {
		uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
		for (int i = 0; i < 80; i++) {
			if (i < 16)
				w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
			else
				w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
			uint32_t f, k;
			if (i < 20)
				f = (b & c) | (~b & d), k = 0x5a827999;
			else if (i < 40)
				f = b ^ c ^ d, k = 0x6ed9eba1;
			else if (i < 60)
				f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
			else
				f = b ^ c ^ d, k = 0xca62c1d6;
			uint32_t t = turn(a, 5) + f + e + k + w[i];
			e = d, d = c, c = turn(b, 30), b = a, a = t;
		}
		h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
	}
	for (int i = 0; i < 20; i++)
		sum[i] = h[i / 4] >> (24 - i % 4 * 8);
}

/* base64 writes 20 bytes as 28 characters. */
static void base64(const uint8_t sum[20], char out[29])
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t in[21] = {0};
	memcpy(in, sum, 20);
	for (int i = 0; i < 7; i++) {
		uint32_t v = (uint32_t)in[3 * i] << 16 | in[3 * i + 1] << 8 | in[3 * i + 2];
		for (int k = 0; k < 4; k++)
			out[4 * i + k] = digit[v >> (18 - 6 * k) & 63];
	}
	out[27] = '=';
	out[28] = 0;
}

/* header finds the value of a header within the request's n bytes, which end with an empty line. */
static const char *header(const char *request, size_t n, const char *name, size_t *length)
{
	size_t k = strlen(name);
	for (const char *p = request; (p = memmem(p, request + n - p, "\r\n", 2)) != NULL;) {
		p += 2;
		if ((size_t)(request + n - p) <= k || strncasecmp(p, name, k) != 0 || p[k] != ':')
			continue;
		for (p += k + 1; *p == ' '; p++)
			;
		const char *end = memchr(p, '\r', request + n - p);
		*length = end - p;
		return p;
	}
	return NULL;
}

int upgrade(struct conn *c, const char *request, size_t n)
{
	const char *end = memmem(request, n, "\r\n\r\n", 4);
	if (end == NULL)
		return n > 8192 ? -1 : 0;
	n = end + 4 - request;
	size_t length = 0;
	const char *key = header(request, n, "Sec-WebSocket-Key", &length);
	int kind = -1;
	if (key != NULL && length == 24 && n > 5 && memcmp(request, "GET /", 5) == 0) {
		const char *path = request + 5, *space = memchr(path, ' ', end - path);
		kind = space == NULL ? -1 : games_kind(path, space - path);
	}
	if (kind < 0) {
		static const char no[] = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
		put(c, (const uint8_t *)no, sizeof no - 1);
		return -1;
	}
	uint8_t salted[60], sum[20];
	char accept[29], answer[160];
	memcpy(salted, key, 24);
	memcpy(salted + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
	sha1(salted, sizeof salted, sum);
	base64(sum, accept);
	int size = snprintf(answer, sizeof answer,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
	put(c, (const uint8_t *)answer, size);
	c->open = true;
	games_join(c, kind);
	return n;
}
