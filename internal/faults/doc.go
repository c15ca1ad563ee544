// Package faults damages TCP connections on purpose. A [Proxy] stands between a client and a server, passes on what both say, and
// does to each connection what its [Plan] says: it cuts it at a certain byte, by an end of the stream or a reset, ends one
// direction alone, has one side vanish without a word, stops reading for a while, delays, throttles, or passes single bytes.
//
// A plan is drawn from a seed and the connection's number ([Mix.Plan]), so the n-th connection through a proxy always meets the
// same: what was found once can be looked for again.
//
// Why not Shopify's toxiproxy, which can be used as a library: its faults belong to a proxy and not to a connection, so all
// connections would be cut at the same byte; its reset comes at a time, never at a byte; its dice are the process's
// own, without a seed; and it brings an HTTP API with its metrics and logger along.
package faults
