/**
 * How long to wait before the next try to connect, in ms: exponential back-off with full jitter. It is
 * anything from 0 to a limit that doubles with each try and ends at `most`; also there it stays random,
 * so that the clients of a server that was away never come back in step.
 *
 * @param tries how many tries there were since the connection was last good.
 * @param random a number from 0 to 1.
 * @internal
 */
export function backoff(tries: number, random: number, least: number, most: number): number {
  return random * Math.min(most, least * 2 ** tries);
}
