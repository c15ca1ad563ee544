// What docs/protocol.md promises, asked of a server by client.mjs. stranger_test.go runs the server and this file:
// VOLLEY_WS is its WebSocket address (ws://…/volley), VOLLEY_TCP its TCP address (host:port).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { encode } from '@msgpack/msgpack';
import { BYE, Connection, HELLO, JOIN, NOTICE, PING, PONG, VOLLEY, VolleyError, WELCOME, comeBack, how } from './client.mjs';

const { VOLLEY_WS, VOLLEY_TCP } = process.env;
if (!VOLLEY_WS || !VOLLEY_TCP) throw new Error('set VOLLEY_WS=ws://host:port/volley and VOLLEY_TCP=host:port');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function within(promise, what, ms = 5000) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no ${what} in ${ms} ms`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The payloads of an event, one after the other. */
function inbox(room, event) {
  const got = [], waiting = [];
  room.on(event, (payload) => (waiting.length ? waiting.shift()(payload) : got.push(payload)));
  return {
    got,
    next: () => within(got.length ? Promise.resolve(got.shift()) : new Promise((r) => waiting.push(r)), `event ${event}`),
  };
}

async function until(condition, what) {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await sleep(10);
  }
  assert.fail(`never: ${what}`);
}

const code = (want) => (err) => err instanceof VolleyError && err.code === want;

for (const [transport, address] of [['WebSocket', VOLLEY_WS], ['TCP', `tcp://${VOLLEY_TCP}`]]) {
  describe(transport, () => {
    const open = [];
    after(() => Promise.all(open.map((conn) => conn.close())));

    const connect = (options) => {
      const conn = new Connection(address, options);
      open.push(conn);
      return conn;
    };

    /** A client of a room of its own, or of that room. */
    const enter = async ({ kind = 'stranger', room, options } = {}) => {
      const conn = connect();
      const r = conn.join(room ?? kind, { how: room ? how.byID : how.create, options });
      r.welcomes = inbox(r, 'welcome');
      r.said = inbox(r, 'said');
      r.numbers = inbox(r, 'number');
      r.answers = inbox(r, 'answered');
      r.notices = [];
      r.onNotice = (...notice) => r.notices.push(notice);
      await within(r.joined, 'JOINED');
      return Object.assign(r, { conn });
    };

    /** The connection must be closed by the server, with that code, in BYE and, if there is one, in the close frame. */
    const closes = async (conn, want, reason = /./) => {
      const end = await within(conn.closed, `close ${want}`);
      assert.deepEqual([end.bye?.code, end.code], [want, want], JSON.stringify(end));
      assert.match(end.reason, reason);
      assert.ok(Number.isInteger(end.delay) && end.delay >= 0);
      if (transport === 'WebSocket') assert.deepEqual(end.transport, { code: want, reason: end.reason });
    };

    /** What a client of a room sends there closes the connection. */
    const breaks = async (want, reason, send) => {
      const room = await enter();
      send(room, room.conn);
      await closes(room.conn, want, reason);
    };

    test('WELCOME', async () => {
      const conn = connect({ auth: { token: 'ignored' } });
      let first;
      conn.onFrame = (frame) => { first ??= frame; };
      const facts = await within(conn.welcome, 'WELCOME');
      assert.deepEqual(first.slice(0, 2), [2, 1]);
      assert.match(facts.sid, /./);
      assert.equal(facts.ping, 1000);
      for (const name of ['say', 'add']) assert.ok(facts.names.includes(name), `${name} in ${facts.names}`);
      for (const limit of ['frame', 'packets', 'depth', 'elements', 'rooms', 'requests']) assert.ok(facts.limits[limit] > 0, limit);
      const end = await within(conn.close(), 'close');
      assert.equal(end.bye, null);
    });

    for (const [kind, rate] of [['stranger', 0], ['stranger60', 60]]) {
      describe(kind, () => {
        test('joining and leaving', async () => {
          const room = await enter({ kind, options: { name: 'Ann' } });
          assert.match(room.facts.room, /./);
          assert.deepEqual([room.facts.kind, room.facts.rate, room.facts.client, room.facts.acks], [kind, rate, 1, 200]);
          assert.ok(room.facts.tick >= 0);
          assert.deepEqual(await room.welcomes.next(), { number: 1, name: 'Ann' });
          assert.deepEqual(await within(room.leave(), 'LEFT'), { code: 4100, reason: '' });
          // The channel is free again, and its packets are counted from 1 again.
          const again = room.conn.join(kind, { how: how.create, channel: room.channel });
          const said = inbox(again, 'said');
          again.emit('whisper', 'one');
          assert.equal((await said.next()).text, 'one');
          assert.equal(again.ack, 1);
        });

        test('events: to all, to the sender, to the others', async () => {
          const ann = await enter({ kind });
          const bob = await enter({ room: ann.facts.room });
          assert.deepEqual([ann.facts.client, bob.facts.client], [1, 2]);
          ann.emit('say', 'hello');
          assert.deepEqual(await ann.said.next(), { from: 1, text: 'hello' });
          assert.deepEqual(await bob.said.next(), { from: 1, text: 'hello' });
          bob.emit('whisper', 'to myself');
          assert.deepEqual(await bob.said.next(), { from: 2, text: 'to myself' });
          bob.emit('tell', 'to Ann');
          assert.deepEqual(await ann.said.next(), { from: 2, text: 'to Ann' }, 'and no whisper before it');
          ann.emit('say', 'enough');
          assert.deepEqual(await bob.said.next(), { from: 1, text: 'enough' }, 'and not his own word before it');
          await bob.leave();
          ann.emit('say', 'gone');
          await ann.said.next();
          assert.deepEqual(await ann.said.next(), { from: 1, text: 'gone' });
          assert.deepEqual(bob.said.got, []);
          assert.deepEqual(bob.welcomes.got, [{ number: 2, name: '' }]);
        });

        test('order, sequence numbers, ticks and acks', async () => {
          const ann = await enter({ kind });
          const bob = await enter({ room: ann.facts.room });
          const ticks = [], acks = [];
          ann.onVolley = (tick, ack) => { ticks.push(tick); acks.push(ack); };
          for (let i = 0; i < 200; i += 4) {
            ann.emit('say', `${i}`);
            ann.send([['say', `${i + 1}`], ['tell', 'not to me'], ['say', `${i + 2}`]]);
            ann.emit('whisper', `${i + 3}`);
            if (i % 40 === 0) await sleep(20);
          }
          for (let i = 0; i < 200; i++) assert.equal((await ann.said.next()).text, `${i}`);
          const expected = Array.from({ length: 50 }, (_, i) => [`${4 * i}`, `${4 * i + 1}`, 'not to me', `${4 * i + 2}`]).flat();
          for (const text of expected) assert.equal((await bob.said.next()).text, text);
          assert.equal(ann.seq, 250);
          await until(() => ann.ack === 250, 'the ack of the last packet');
          ann.emit('tell', 'which brings nothing back but an ack');
          await until(() => ann.ack === 251, 'the ack of a packet without an answer');
          for (let i = 1; i < ticks.length; i++) assert.ok(ticks[i] > ticks[i - 1] && acks[i] >= acks[i - 1], `${ticks} ${acks}`);
          assert.ok(acks.every((ack) => ack <= ann.seq));
        });

        test('requests', async () => {
          const room = await enter({ kind });
          assert.equal(await room.request('add', { a: 40, b: 2 }), 42);
          assert.equal(await room.request('add', { a: -2147483648, b: 2147483647 }), -1);
          const sums = Array.from({ length: 50 }, (_, i) => room.request('add', { a: i, b: i }));
          const failed = room.request('fail', '');
          assert.deepEqual(await Promise.all(sums), Array.from({ length: 50 }, (_, i) => 2 * i));
          await assert.rejects(failed, { message: 'no luck' });
          await assert.rejects(room.request('nonsense'), { message: 'no handler' });
          room.emit('whisper', 'still here');
          assert.equal((await room.said.next()).text, 'still here');
        });

        test("the server's requests", async () => {
          const room = await enter({ kind });
          room.emit('askme', 'anyone?');
          assert.equal(await room.answers.next(), 'refused: no handler');
          const questions = [];
          room.handle('question', async (q) => {
            questions.push(q);
            await sleep(q === 'slow' ? 100 : 0);
            if (q === 'rude') throw new Error('mind your business');
            return `${q}!`;
          });
          room.emit('askme', 'ready');
          assert.equal(await room.answers.next(), 'ready!');
          for (const q of ['slow', 'quick', 'rude']) room.emit('askme', q);
          const answers = new Set([await room.answers.next(), await room.answers.next(), await room.answers.next()]);
          assert.deepEqual(answers, new Set(['quick!', 'refused: mind your business', 'slow!']));
          assert.deepEqual(questions, ['ready', 'slow', 'quick', 'rude']);
          room.send([[-1, 'nobody asked', 999], [-2, 'nobody asked', 998]]);
          room.emit('askme', 'still');
          assert.equal(await room.answers.next(), 'still!');
        });

        test('numbers go by value', async () => {
          const room = await enter({ kind });
          for (const [event, n, want] of [['float', 0.5, 0.5], ['float', 3, 3], ['float', 0.1, Math.fround(0.1)], ['small', 0, 0], ['small', 255, 255]]) {
            room.emit(event, n);
            assert.equal(await room.numbers.next(), want);
          }
          // [VOLLEY, channel, seq, 0, [["small", 7.0]]] with 7.0 as a float32, then as a float64.
          const frame = (seq, ...number) => room.conn.sendBytes(
            Buffer.from([0x95, VOLLEY, room.channel, seq, 0, 0x91, 0x92, 0xa5, ...Buffer.from('small'), ...number]));
          frame(++room.seq, 0xca, 0x40, 0xe0, 0, 0);
          assert.equal(await room.numbers.next(), 7);
          frame(++room.seq, 0xcb, 0x40, 0x1c, 0, 0, 0, 0, 0, 0);
          assert.equal(await room.numbers.next(), 7);
        });
      });
    }

    test('the forms of JOIN and its refusals', async () => {
      const refused = async (name, options, want, reason = /./) => {
        const conn = connect();
        await assert.rejects(within(conn.join(name, options).joined, 'LEFT'), (err) => code(want)(err) && reason.test(err.reason));
        const room = conn.join('stranger', { how: how.create, channel: 0 }); // a refusal leaves the connection and the channel usable
        assert.equal((await within(room.joined, 'JOINED')).kind, 'stranger');
        assert.deepEqual(await within(room.leave(), 'LEFT'), { code: 4100, reason: '' });
      };
      await refused('stranger', { options: { name: 'eve' } }, 4105, /^no eves$/);
      await refused('stranger', { how: how.create, options: { name: 'eve' } }, 4105, /^no eves$/);
      await refused('nobody', {}, 4104);
      await refused('nobody', { how: how.create }, 4104);
      await refused('nobody', { how: how.join }, 4104);
      await refused('nobody', { how: how.byID }, 4103);
      await refused('stranger', { how: how.byID }, 4103);

      // Rooms close when the last one leaves; those of the tests before may take a moment to.
      await Promise.all(open.splice(0).map((conn) => conn.close()));
      const conn = connect();
      await until(async () => {
        const room = conn.join('stranger', { how: how.join });
        const err = await within(room.joined, 'answer').then(() => room.leave(), (err) => err);
        return err.code === 4103;
      }, 'that no room of the kind is open');

      const created = conn.join('stranger', { how: how.create });
      const { room: id } = await within(created.joined, 'JOINED');
      const joined = await within(conn.join('stranger', { how: how.join }).joined, 'JOINED');
      const either = await within(conn.join('stranger').joined, 'JOINED');
      const byID = await within(conn.join(id, { how: how.byID }).joined, 'JOINED');
      const other = await within(conn.join('stranger', { how: how.create }).joined, 'JOINED');
      assert.deepEqual([joined, either, byID].map((f) => [f.room, f.client, f.kind]), [[id, 2, 'stranger'], [id, 3, 'stranger'], [id, 4, 'stranger']]);
      assert.notEqual(other.room, id);
      assert.deepEqual([...conn.rooms.keys()], [0, 1, 2, 3, 4]);
      const sixty = await within(conn.join('stranger60').joined, 'JOINED');
      assert.equal(sixty.rate, 60);
    });

    test('HELLO, JOIN and packets without waiting', async () => {
      const conn = connect();
      const order = [];
      conn.onFrame = ([type]) => order.push(type);
      const room = conn.join('stranger', { how: how.create, options: { name: 'Ann' } });
      const said = inbox(room, 'said');
      room.emit('whisper', 'first');
      const sum = room.request('add', { a: 1, b: 2 });
      room.emit('whisper', 'last');
      assert.equal((await said.next()).text, 'first');
      assert.equal((await said.next()).text, 'last');
      assert.equal(await sum, 3);
      const types = order.filter((type) => [2, 4, VOLLEY].includes(type));
      assert.deepEqual(types.slice(0, 3), [2, 4, VOLLEY]);

      // A packet and a LEAVE behind a join that is refused are no fault.
      const refused = conn.join('stranger', { options: { name: 'eve' } });
      refused.emit('say', 'let me in');
      refused.leave();
      await assert.rejects(within(refused.joined, 'LEFT'), code(4105));
      assert.ok(await within(conn.ping(), 'PONG') >= 0);
    });

    test('kicked, and the room closed', async () => {
      const ann = await enter();
      const bob = await enter({ room: ann.facts.room });
      bob.emit('whisper', 'last word');
      bob.emit('kick', 'behave');
      bob.emit('say', 'too late');
      assert.deepEqual(await within(bob.ended, 'LEFT'), { code: 4106, reason: 'behave' });
      assert.equal(bob.said.got[0].text, 'last word');
      ann.emit('end', 'good night');
      assert.deepEqual(await within(ann.ended, 'LEFT'), { code: 4107, reason: 'good night' });
      const pending = ann.conn.join('stranger', { how: how.create });
      assert.equal((await within(pending.joined, 'JOINED')).client, 1);
    });

    test('PING and PONG', async () => {
      const conn = connect(), deaf = connect();
      deaf.answerPings = false;
      let pings = 0, last;
      conn.onFrame = ([type, stamp]) => { if (type === PING) { pings++; last = stamp; } };
      assert.ok(await within(conn.ping(), 'PONG') < 5000);
      const echoed = new Promise((resolve) => { deaf.onFrame = ([type, stamp]) => { if (type === PONG) resolve(stamp); }; });
      deaf.sendFrame([PING, 2 ** 52 + 1]);
      assert.equal(await within(echoed, 'PONG'), 2 ** 52 + 1);
      await closes(deaf, 4008, /^/);
      assert.ok(pings >= 1, `${pings} pings`);
      assert.ok(Number.isInteger(last) && last >= 0, `stamp ${last}`);
      await sleep(1100); // by now it has lived longer than a silent one does
      assert.ok(await within(conn.ping(), 'PONG') < 5000);
      assert.equal(comeBack(4008), 'new');
    });

    test('the event table', async () => {
      const room = await enter();
      const { names } = await room.conn.welcome;
      room.send([['whisper', 'by its name'], [names.indexOf('whisper'), 'by its index']]);
      assert.equal((await room.said.next()).text, 'by its name');
      assert.equal((await room.said.next()).text, 'by its index');
      // What NAMES has told this connection by now, a later one is told by WELCOME.
      const later = await within(connect().welcome, 'WELCOME');
      assert.deepEqual(later.names.slice(0, names.length), names);
      for (const name of ['welcome', 'said']) assert.ok(later.names.includes(name), `${name} in ${later.names}`);
      for (const [name, index] of room.conn.indices) assert.equal(later.names[index], name);
    });

    test('NOTICE', async () => {
      const room = await enter();
      room.emit('whisper', 'before');
      room.emit('nonsense', { any: ['thing', 1, null] });
      room.emit(9999, 'an index that is not in the table');
      room.emit('whisper', 'after');
      assert.equal((await room.said.next()).text, 'before');
      assert.equal((await room.said.next()).text, 'after');
      await until(() => room.notices.length === 2 && room.ack === 4, 'two notices and the ack');
      assert.deepEqual(room.notices.map(([code, , seq]) => [code, seq]), [[4005, 2], [4005, 3]]);
      assert.match(room.notices[0][1], /./);
    });

    test('sequence numbers: repeats and gaps', async () => {
      const room = await enter();
      const frame = (seq, ...packets) => room.conn.sendFrame([VOLLEY, room.channel, seq, 0, packets]);
      frame(1, ['whisper', '1'], ['whisper', '2']);
      frame(1, ['whisper', 'again 1'], ['whisper', 'again 2'], ['whisper', '3']);
      frame(4);
      frame(4, ['whisper', '4']);
      for (const text of ['1', '2', '3', '4']) assert.equal((await room.said.next()).text, text);
      frame(6, ['whisper', '6']);
      await closes(room.conn, 4016);
      assert.equal(comeBack(4016), 'new');
    });

    describe('coming back', () => {
      const resume = (conn, options) => {
        const next = new Connection(address, { resume: conn, ...options });
        open.push(next);
        return next;
      };
      /** Carries on with the connection of a room. */
      const back = async (room, options) => {
        room.conn = resume(room.conn, options);
        return { facts: await within(room.conn.welcome, 'WELCOME') };
      };

      for (const kind of ['stranger', 'stranger60']) {
        test(`${kind}: what was said meanwhile, once and in order, both ways`, async () => {
          const ann = await enter({ kind });
          const bob = await enter({ room: ann.facts.room });
          const { sid, token } = await ann.conn.welcome;
          for (let i = 0; i < 5; i++) ann.emit('say', `ann ${i}`); // some may not arrive
          await ann.conn.cut();
          for (let i = 0; i < 5; i++) bob.emit('say', `bob ${i}`);
          const sum = ann.request('add', { a: 1, b: 2 });
          sum.catch(() => {});
          for (let i = 5; i < 10; i++) ann.emit('say', `ann ${i}`);
          await sleep(50);
          const { facts } = await back(ann);
          assert.deepEqual([facts.resumed, facts.sid], [true, sid]);
          assert.notEqual(facts.token, token);
          assert.equal(await within(sum, 'reply'), 3);
          const hear = async (room) => {
            const next = { ann: 0, bob: 0 };
            for (let i = 0; i < 15; i++) {
              const [who, n] = (await room.said.next()).text.split(' ');
              assert.equal(Number(n), next[who]++);
            }
            assert.deepEqual(next, { ann: 10, bob: 5 });
          };
          await hear(ann);
          await hear(bob);
          ann.emit('whisper', 'and nothing else');
          assert.equal((await ann.said.next()).text, 'and nothing else');
          await until(() => ann.ack === ann.seq, 'the ack of all');
        });
      }

      test("a request of the server's waits for who was away", async () => {
        const room = await enter();
        room.handle('question', async (q) => `${q}!`);
        room.emit('askme', 'there?');
        await until(() => room.ack === 1 || room.answers.got.length, 'that it was asked');
        await room.conn.cut();
        await back(room);
        assert.equal(await room.answers.next(), 'there?!');
      });

      test('a token works once; the WELCOME that was lost does not count', async () => {
        const room = await enter();
        const { token } = await room.conn.welcome;
        await room.conn.cut();
        // Two connections get WELCOME and are cut before they have said anything; the client never knows of it.
        for (let i = 0; i < 2; i++) {
          const deaf = connect({ hello: false });
          let told = false;
          deaf.onFrame = ([type]) => { if (type === WELCOME) { told = true; deaf.cut(); } };
          deaf.sendFrame([HELLO, 1, { resume: [token, [[room.channel, room.tick]]] }]);
          await within(deaf.welcome.catch(() => {}), 'WELCOME'); // its own cut may come first
          await deaf.closed.catch(() => {});
          assert.ok(told);
        }
        await back(room);
        await within(room.conn.ping(), 'PONG');
        const used = resume(room.conn, { token });
        await closes(used, 4014);
        assert.equal(comeBack(4014), 'new');
        room.emit('whisper', 'not disturbed');
        assert.equal((await room.said.next()).text, 'not disturbed');
      });

      test('wrong tokens leave nothing behind', async () => {
        const room = await enter();
        const { token } = await room.conn.welcome;
        const turned = (token[0] === 'A' ? 'B' : 'A') + token.slice(1);
        for (const wrong of [turned, token.slice(1), `${token}A`, 'x', '', 'x'.repeat(256)]) await closes(resume(room.conn, { token: wrong }), 4014);
        for (const bad of [7, []]) await closes(resume(room.conn, { token: bad }), 4000);
        room.emit('whisper', 'not disturbed');
        assert.equal((await room.said.next()).text, 'not disturbed');
      });

      test('a token of a connection that lives takes over', async () => {
        const ann = await enter();
        const bob = await enter({ room: ann.facts.room });
        const old = ann.conn;
        await back(ann);
        await closes(old, 4013);
        assert.equal(comeBack(4013), 'no');
        bob.emit('say', 'hello');
        assert.equal((await ann.said.next()).text, 'hello');
        ann.emit('say', 'hello yourself');
        assert.equal((await bob.said.next()).text, 'hello');
        assert.deepEqual(await bob.said.next(), { from: 1, text: 'hello yourself' });
      });

      test('a membership that is not named is left; one that is not there is LEFT', async () => {
        const room = await enter();
        const other = room.conn.join('stranger', { how: how.create });
        const { room: id } = await within(other.joined, 'JOINED');
        await room.conn.cut();
        room.conn.rooms.delete(other.channel);
        const ended = [];
        room.conn.rooms.set(7, { facts: {}, tick: 0, move() {}, end: (code) => ended.push(code) });
        await back(room);
        await until(() => ended.length === 1, 'LEFT');
        assert.deepEqual(ended, [4014]);
        await until(async () => {
          const again = room.conn.join(id, { how: how.byID, channel: 3 });
          return within(again.joined, 'answer').then(() => again.leave().then(() => false), (err) => err.code === 4103);
        }, 'that the other room has closed');
      });

      test('a JOIN without an answer: it had arrived, or it had not', async () => {
        const room = await enter({ options: { name: 'Ann' } });
        await room.welcomes.next();
        await room.conn.cut();
        const { facts } = room;
        room.facts = undefined; // as if JOINED and what came after it had been lost
        const left = [];
        room.conn.rooms.set(5, { facts: undefined, move() {}, end: (code) => left.push(code) });
        await back(room);
        assert.deepEqual(await room.welcomes.next(), { number: 1, name: 'Ann' });
        assert.deepEqual(room.facts, facts);
        await until(() => left.length === 1, 'LEFT');
        assert.deepEqual(left, [4014]);
        const sent = room.conn.join('stranger', { how: how.create, channel: 5 });
        await within(sent.joined, 'JOINED');
      });

      test('who says goodbye does not come back', async () => {
        const room = await enter();
        await within(room.conn.close(), 'close');
        await closes(resume(room.conn), 4014);
        const other = await enter();
        other.conn.sendFrame([BYE, 1000, 'enough']);
        await within(other.conn.closed, 'close');
        await closes(resume(other.conn), 4014);
      });

      test('what one did not hear in time: the membership is over', async () => {
        const room = await enter({ kind: 'impatient' });
        await room.conn.cut();
        await sleep(700);
        const { conn } = room;
        await back(room);
        const { code: why } = await within(room.ended, 'LEFT');
        assert.ok(why === 4014 || comeBack(why) !== 'no', `code ${why}`);
        assert.equal(conn.rooms.size, 0);
      });

      test('RESYNC: who was away for long is told anew', async () => {
        const ann = await enter({ kind: 'forgetful' });
        const bob = await enter({ room: ann.facts.room });
        await ann.welcomes.next();
        const resyncs = [];
        ann.onResync = (tick) => resyncs.push(tick);
        ann.emit('whisper', 'before');
        await ann.said.next();
        await ann.conn.cut();
        ann.emit('say', 'meanwhile');
        for (let i = 0; i < 100; i++) bob.emit('tell', 'x'.repeat(500));
        await until(() => bob.ack === 100, 'that all is said');
        await back(ann);
        assert.deepEqual(await ann.welcomes.next(), { number: 1, name: 'again' });
        assert.equal(resyncs.length, 1);
        assert.ok(ann.tick >= resyncs[0]);
        const texts = [];
        for (let text = ''; text !== 'meanwhile'; texts.push(text)) text = (await ann.said.next()).text;
        assert.deepEqual(texts, ['meanwhile'], 'what was said before is not said again');
      });
    });

    test('4000: malformed bytes', async () => {
      const bytes = (...bytes) => (room, conn) => conn.sendBytes(Buffer.from(bytes));
      await breaks(4000, /./, bytes()); // no frame is empty
      await breaks(4000, /./, bytes(0xc1));
      await breaks(4000, /./, bytes(0x92, PING)); // ends too early
      await breaks(4000, /./, bytes(0x92, PING, 1, 0xc0)); // one byte too many
      await breaks(4000, /./, bytes(0x81, PING, 1)); // a map
      await breaks(4000, /./, bytes(0x95, VOLLEY, 0, 1, 0, 0x91, 0x92, 0xa3, 0x73, 0x61, 0x79, 0xa1, 0xff)); // invalid UTF-8
      const early = connect({ hello: false });
      early.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await closes(early, 4000);
    });

    test('4001: bad version', async () => {
      for (const version of [0, 2]) await closes(connect({ version }), 4001, /1/);
    });

    test('4002: unexpected frames', async () => {
      await breaks(4002, /77/, (room, conn) => conn.sendFrame([77]));
      await breaks(4002, /./, (room, conn) => conn.sendFrame([HELLO, 1, {}]));
      await breaks(4002, /./, (room, conn) => conn.sendFrame([NOTICE, 0, 4005, '', 1]));
      const early = connect({ hello: false });
      early.sendFrame([JOIN, 0, how.joinOrCreate, 'stranger', null]);
      await closes(early, 4002);
    });

    test('4003 and 1009: too much', async () => {
      const { limits } = await within(connect().welcome, 'WELCOME');
      const nested = (depth) => (depth ? [nested(depth - 1)] : 0);
      await breaks(4003, /./, (room) => room.emit('say', nested(limits.depth)));
      await breaks(4003, /./, (room) => room.emit('say', Array(limits.elements).fill(0)));
      await breaks(4003, /./, (room) => room.send(Array(limits.packets + 1).fill(['tell', ''])));
      await breaks(1009, /./, (room) => room.emit('say', 'x'.repeat(limits.frame)));
    });

    test('4004: bad payloads', async () => {
      for (const n of [300, -1, 0.5, NaN, '5', null, [5]]) await breaks(4004, /small/, (room) => room.emit('small', n));
      for (const n of [NaN, Infinity, 1e300]) await breaks(4004, /float/, (room) => room.emit('float', n));
      await breaks(4004, /\ba\b/, (room) => room.request('add', { a: 2 ** 31, b: 0 }));
      await breaks(4004, /./, (room) => room.handle('question', () => 5).emit('askme', '?'));
    });

    test('4007: no HELLO', async () => {
      await closes(connect({ hello: false }), 4007);
    });

    test('4015: bad channels', async () => {
      const { limits } = await within(connect().welcome, 'WELCOME');
      await breaks(4015, /./, (room, conn) => conn.sendFrame([JOIN, room.channel, how.create, 'stranger', null]));
      await breaks(4015, /./, (room, conn) => conn.sendFrame([JOIN, limits.rooms, how.create, 'stranger', null]));
    });

    if (transport === 'WebSocket') {
      test('1003: a text message', async () => {
        await breaks(1003, /./, (room, conn) => conn.transport.ws.send('hello'));
      });

      test('fragments, pings, and closing', async () => {
        const conn = connect();
        await within(conn.welcome, 'WELCOME');
        const { ws } = conn.transport;
        const frame = encode([PING, 77]);
        const pong = new Promise((resolve) => { conn.onFrame = (f) => { if (f[0] === PONG) resolve(f[1]); }; });
        const wsPong = new Promise((resolve) => { ws.on('pong', (data) => resolve(data.toString())); });
        ws.send(frame.subarray(0, 1), { binary: true, fin: false });
        ws.ping('between');
        ws.send(frame.subarray(1), { binary: true, fin: true });
        assert.equal(await within(wsPong, 'pong'), 'between');
        assert.equal(await within(pong, 'PONG'), 77);
        assert.equal(ws.extensions + ws.protocol, '');
        const end = await within(conn.close(), 'close');
        assert.deepEqual([end.code, end.bye], [1000, null]);
      });
    } else {
      test('frames in pieces, frames in one piece, and closing', async () => {
        const conn = connect();
        await within(conn.welcome, 'WELCOME');
        const { socket } = conn.transport;
        const pongs = [];
        conn.onFrame = (frame) => { if (frame[0] === PONG) pongs.push(frame[1]); };
        const framed = (stamp) => Buffer.from([0, 0, 0, 3, 0x92, PING, stamp]);
        for (const byte of framed(1)) {
          socket.write(Buffer.from([byte]));
          await sleep(2);
        }
        socket.write(Buffer.concat([framed(2), framed(3)]));
        await until(() => pongs.length === 3, 'three PONGs');
        assert.deepEqual(pongs, [1, 2, 3]);
        assert.equal((await within(conn.close(), 'close')).bye, null);
      });

      test('1009: a length beyond the limit', async () => {
        const conn = connect();
        await within(conn.welcome, 'WELCOME');
        conn.transport.socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
        await closes(conn, 1009);
      });
    }
  });
}
