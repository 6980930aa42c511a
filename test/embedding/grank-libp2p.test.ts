import { afterAll, describe, expect, test } from 'vitest';
import { FRAME_BYTES, requestFrame } from '../../src/embedding/grank/frames.js';
import * as e from '../../src/embedding/index.js';
import { Libp2pTransport, libp2pIdentity } from '../../src/embedding/node.js';
import { Random } from '../../src/tensor/index.js';

const library = new e.ItemLibrary(e.catalogueDomain, [
  { id: '1', title: 'One', tags: ['ambient'] },
  { id: '2', title: 'Two', tags: ['ambient'] },
]);
const started: Libp2pTransport[] = [];
afterAll(() => Promise.all(started.map((transport) => transport.stop())));

async function startNode(options: object = {}, peerOptions: e.GRankOptions = {}) {
  const identity = await libp2pIdentity();
  const peer = new e.GRankPeer(identity.id, library, new Random(1), { learnAuthors: false, noise: 0, ...peerOptions });
  const reports: e.IntakeReport[] = [];
  const intake = new e.EntryIntake(peer, identity.verify);
  const transport = await Libp2pTransport.start(identity, intake, {
    timeout: 5000,
    onRefused: (_, report) => reports.push(report),
    ...options,
  });
  started.push(transport);
  const service = new e.PeerService({ peer, signer: identity, keep: () => undefined, transport });
  return { identity, peer, transport, service, reports, address: transport.addresses[0] as string };
}

/** A node of libp2p that answers pulls with the frames that it is given, and asks with any bytes. */
async function startRogue(frames: () => readonly Uint8Array[]) {
  const { createLibp2p } = await import('libp2p');
  const [{ tcp }, { noise }, { yamux }, { identify }, { lpStream }, { multiaddr }] = await Promise.all([
    import('@libp2p/tcp'),
    import('@chainsafe/libp2p-noise'),
    import('@chainsafe/libp2p-yamux'),
    import('@libp2p/identify'),
    import('@libp2p/utils'),
    import('@multiformats/multiaddr'),
  ]);
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
  await node.handle('/gossamer/grank/pull/1.0.0', async (stream) => {
    const lines = lpStream(stream);
    await lines.read();
    for (const frame of frames()) await lines.write(frame).catch(() => undefined);
    await stream.close().catch(() => undefined);
  });
  const ask = async (address: string, bytes: Uint8Array) => {
    const stream = await node.dialProtocol(multiaddr(address), '/gossamer/grank/pull/1.0.0');
    const lines = lpStream(stream);
    const answers: string[] = [];
    try {
      await lines.write(bytes);
      for (;;)
        answers.push(new TextDecoder().decode((await lines.read({ signal: AbortSignal.timeout(2000) })).subarray()));
    } catch {
      return answers;
    }
  };
  return { node, ask, address: String(node.getMultiaddrs()[0]) };
}

describe('over libp2p', () => {
  test('clicks reach peers that ask, also through others, and rank there', async () => {
    const [a, b, c] = [await startNode(), await startNode(), await startNode()];
    await a.service.click('ambient', '2');
    await a.service.click('ambient', '2');
    await b.service.click('ambient', '1');
    expect(await b.transport.connect(a.address)).toBe(a.peer.id);
    expect(await b.service.gossip()).toBe(2);
    expect(a.peer.known).toEqual([b.peer.id]);
    expect(await a.service.gossip()).toBe(1);
    await c.transport.connect(b.address);
    expect(await c.service.gossip()).toBe(3);
    expect(await c.service.gossip()).toBe(0);
    expect(c.peer.log.entries.map(({ author }) => author).sort()).toEqual([a.peer.id, a.peer.id, b.peer.id].sort());
    expect(c.peer.rank('ambient').map(({ id, score }) => [id, score])).toEqual([
      ['2', 2],
      ['1', 1],
    ]);
    expect(c.reports).toEqual([]);
  });

  test('a peer keeps its name with its key, and another key is another name', async () => {
    const one = await libp2pIdentity();
    expect((await libp2pIdentity(one.key)).id).toBe(one.id);
    const two = await libp2pIdentity();
    expect(two.id).not.toBe(one.id);
    const bytes = new TextEncoder().encode('x');
    const signature = await one.sign(bytes);
    expect(await two.verify(one.id, bytes, signature)).toBe(true);
    expect(await two.verify(two.id, bytes, signature)).toBe(false);
    await expect(libp2pIdentity(Uint8Array.of(1, 2))).rejects.toThrow();
  });

  test('what a peer sends that is forged, oversize or no entry harms nobody', async () => {
    const honest = await startNode();
    const good = await honest.service.click('ambient', '1');
    const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const end = text({ done: true });
    let frames: Uint8Array[] = [];
    const rogue = await startRogue(() => frames);
    const victim = await startNode();
    const tries: [Uint8Array[], number | undefined, number][] = [
      [[text({ entries: [{ ...good, item: '2' }] }), end], undefined, 0],
      [[text({ entries: [{ ...good, sequence: 'x' }] }), end], undefined, 0],
      [[Uint8Array.of(0xff, 0xfe, 0x00)], undefined, 0],
      [[text([1, 2])], undefined, 0],
      [[new Uint8Array(FRAME_BYTES + 1).fill(0x20), end], undefined, 0],
      [[], undefined, 0],
      [[...Array.from({ length: 600 }, () => text({ entries: [] })), end], undefined, 0],
      [[text({ entries: [good, good, { ...good, sequence: 1 }] }), end], 1, 1],
      [[text({ entries: [good] }), end], 0, 1],
      [[...Array.from({ length: 60 }, () => text({ entries: Array(100).fill(good) })), end], undefined, 1],
    ];
    for (const [own, fresh, size] of tries) {
      frames = own;
      await victim.transport.connect(rogue.address);
      expect(await victim.transport.pull(victim.peer, rogue.node.peerId.toString())).toBe(fresh);
      expect(victim.peer.log.size).toBe(size);
    }
    expect(victim.reports.some(({ forged }) => forged === 1)).toBe(true);
    // The victim still works with honest peers.
    await honest.service.click('ambient', '2');
    await victim.transport.connect(honest.address);
    expect(await victim.transport.pull(victim.peer, honest.peer.id)).toBe(1);
    await rogue.node.stop();
  });

  test('requests that are none get no entries, and whole ones do', async () => {
    const honest = await startNode();
    await honest.service.click('ambient', '1');
    const rogue = await startRogue(() => []);
    const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    for (const bytes of [
      text({}),
      text({ v: 1, since: { a: 'x' } }),
      Uint8Array.of(7),
      text({ v: 1, since: {}, more: 'x'.repeat(2 ** 20) }),
    ])
      expect(await rogue.ask(honest.address, bytes)).toEqual([]);
    const [entries, done] = await rogue.ask(honest.address, requestFrame({}));
    expect(JSON.parse(entries ?? '').entries).toHaveLength(1);
    expect(done).toBe('{"done":true}');
    expect(await rogue.ask(honest.address, requestFrame({ [honest.peer.id]: 1 }))).toEqual(['{"done":true}']);
    await rogue.node.stop();
  });

  test('a peer that is silent or gone costs a limited time, and is forgotten', async () => {
    const [own, hasty] = [await startNode(), await startNode({ timeout: 300 })];
    const { createServer } = await import('node:net');
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const before = performance.now();
    await expect(hasty.transport.connect(`/ip4/127.0.0.1/tcp/${port}`)).rejects.toThrow('does not answer');
    expect(performance.now() - before).toBeLessThan(5000);
    silent.close();
    const gone = await startNode();
    await own.transport.connect(gone.address);
    expect(own.peer.known).toEqual([gone.peer.id]);
    await gone.transport.stop();
    expect(await own.service.gossip()).toBeUndefined();
    expect(own.peer.known).toEqual([]);
    expect(() => own.transport.requireAddress('example.org:4001')).toThrow(
      '"example.org:4001" is no address of libp2p',
    );
    await expect(own.transport.connect('/ip4/127.0.0.1/tcp/1')).rejects.toThrow(
      '"/ip4/127.0.0.1/tcp/1" does not answer',
    );
  });

  test('pushes are taken in where they are asked for', async () => {
    const [sender, open, closed] = [await startNode(), await startNode({ acceptPush: true }), await startNode()];
    await sender.service.click('ambient', '1');
    await sender.transport.connect(open.address);
    await sender.transport.connect(closed.address);
    expect(await sender.transport.push(sender.peer, open.peer.id)).toBe(1);
    expect(open.peer.log.size).toBe(1);
    expect(await sender.transport.push(sender.peer, open.peer.id)).toBe(0);
    expect(await sender.transport.push(sender.peer, closed.peer.id)).toBeUndefined();
    expect(closed.peer.log.size).toBe(0);
  });
});
