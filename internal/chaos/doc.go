// Command chaos shows that a bad network loses nothing: clients in rooms exchange numbered events and requests, in both
// directions, through proxies that cut each connection about once a second at any byte, and every number is checked where it
// arrives.
//
//	go run ./internal/chaos                            # 200 clients, 20 rooms, 1,000,000 events: make chaos
//	go run ./internal/chaos -soak 5m                   # clients that come and go, for as long as that: make soak
//	go run ./internal/chaos -netns -loss 3             # over a network that loses packets, as root: make lossy
//
// # What is counted
//
// An event is counted once for each receiver that is due it; -events is their sum. Half of it goes from clients to rooms: plain
// events (every so many of which the room sends on to all of its clients), requests, and the replies to the room's requests. The
// other half goes to clients: events for one client, events for everyone in the room, the room's requests, and the replies to
// theirs. Each is a stream of its own, for each sender and receiver, numbered from 1.
//
//   - lost: it was sent, and has not come when all is over.
//   - duplicated: it came again.
//   - reordered: it came after one with a higher number.
//
// Nothing but volley and its client is in the way: no retries, no acknowledgements of the program's own. A client that loses its
// seat joins again and goes on counting; what that loses is lost.
package main
