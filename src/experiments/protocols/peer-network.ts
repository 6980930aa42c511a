// Peers over libp2p on this machine: the same searches as in the simulation, then some peers die.

import {
  EntryIntake,
  GRankPeer,
  ItemLibrary,
  PeerService,
  type RankedItem,
  SimTransport,
} from '../../embedding/index.js';
import { Libp2pTransport, libp2pIdentity } from '../../embedding/node.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import type { PeerData } from './peers.js';

/** Milliseconds for an exchange; this machine may be busy. */
const TIMEOUT = 60_000;

interface Device {
  readonly peer: GRankPeer;
  readonly service: PeerService;
  readonly transport: Libp2pTransport;
  /** The same peer in the simulation. */
  readonly twin: GRankPeer;
}

/**
 * Runs `queries` searches for each of `nodes` peers over TCP on the loopback address, and the same
 * in the simulation; then a quarter of the peers is stopped without a word, and the others go on.
 *
 * Scores: `sameRankings` (%), `answeredAfter` (searches after the stop that were answered, %),
 * `spreadAfter` (clicks after the stop that the others know, %), `pullMs`.
 */
export async function networkStudy(
  data: PeerData,
  { nodes, queries }: { readonly nodes: number; readonly queries: number },
  { signal, progress }: RunContext,
): Promise<StudyResults> {
  const random = new Random(0).split('libp2p');
  const { domain, items, terms } = data.draw(random.split('domain'));
  const simulated = new SimTransport(false);
  const devices: Device[] = [];
  try {
    for (let at = 0; at < nodes; at++) {
      const held = [
        ...random
          .split(at)
          .permutation(items.length)
          .slice(0, Math.ceil(items.length / 10)),
      ];
      const library = new ItemLibrary(
        domain,
        held.map((item) => items[item]),
      );
      devices.push(await startDevice(library, random.split('peer').split(at), simulated));
    }
    for (const [at, { transport, twin }] of devices.entries()) {
      const next = devices[(at + 1) % nodes] as Device;
      twin.meet(await transport.connect(next.transport.addresses[0] as string));
    }
    const events = random.split('events');
    const draw = (among: readonly Device[]) =>
      [among[events.integer(among.length)] as Device, terms[events.integer(terms.length)] as string] as const;
    let [seconds, pulls] = [0, 0];
    for (let event = 0; event < nodes * queries; event++) {
      signal?.throwIfAborted();
      const [device, term] = draw(devices);
      const { peer, service, twin } = device;
      const [shown, alike] = [peer.search(term).shown, twin.search(term).shown];
      if (shown[0]) await service.click(term, shown[0].id);
      if (alike[0]) twin.click({ term }, alike[0].id, event);
      const started = performance.now();
      if ((await service.gossip()) !== undefined) pulls++;
      seconds += (performance.now() - started) / 1000;
      const other = twin.drawPeer();
      if (other !== undefined) simulated.pull(twin, other);
      progress('20 peers over libp2p', event / (nodes * queries));
    }
    const same = devices.flatMap(({ peer, twin }) =>
      terms.map((term) => idsOf(peer.rank(term)) === idsOf(twin.rank(term))),
    );
    const gone = devices.slice(0, Math.max(1, Math.round(nodes / 4)));
    await Promise.all(gone.map(({ transport }) => transport.stop()));
    const left = devices.slice(gone.length);
    const before = new Map(left.map(({ peer }) => [peer.id, peer.log.contiguous(peer.id)]));
    const searches = Math.ceil((nodes * queries) / 4);
    let answered = 0;
    for (let event = 0; event < searches; event++) {
      signal?.throwIfAborted();
      const [{ peer, service }, term] = draw(left);
      const [first] = peer.search(term).shown;
      if (first) {
        answered++;
        await service.click(term, first.id);
      }
      await service.gossip();
    }
    const [known, made] = spreadOf(left, before);
    const scores = {
      sameRankings: share(same.filter(Boolean).length, same.length),
      answeredAfter: share(answered, searches),
      spreadAfter: share(known, made),
      pullMs: (1000 * seconds) / Math.max(1, pulls),
    };
    return studyOf(
      {
        title: `${nodes} peers over libp2p, ${nodes * queries} searches`,
        columns: ['what', 'value'],
        rows: [
          ['rankings as in the simulation (%)', scores.sameRankings.toFixed(1)],
          [`searches answered after ${gone.length} peers are gone (%)`, scores.answeredAfter.toFixed(1)],
          ['clicks since then that the others know (%)', scores.spreadAfter.toFixed(1)],
          ['a pull (ms)', scores.pullMs.toFixed(1)],
        ],
        note: 'TCP on the loopback address, Noise, Yamux; each click is signed, and checked by every peer. A ring of peers at the start.',
      },
      scores,
    );
  } finally {
    await Promise.all(devices.map(({ transport }) => transport.stop()));
  }
}

async function startDevice(library: ItemLibrary, random: Random, simulated: SimTransport): Promise<Device> {
  const identity = await libp2pIdentity();
  const make = () => new GRankPeer(identity.id, library, new Random(random.key), { learnAuthors: false });
  const [peer, twin] = [make(), make()];
  const intake = new EntryIntake(peer, identity.verify, { perDay: Number.POSITIVE_INFINITY });
  const transport = await Libp2pTransport.start(identity, intake, { timeout: TIMEOUT });
  simulated.join(twin.id, twin);
  return { peer, twin, transport, service: new PeerService({ peer, signer: identity, keep: () => {}, transport }) };
}

/** Clicks of the others that each peer knows, and how many there are. */
function spreadOf(left: readonly Device[], before: ReadonlyMap<string, number>): [known: number, made: number] {
  let [known, made] = [0, 0];
  for (const { peer: author } of left) {
    const first = before.get(author.id) ?? 0;
    const own = author.log.contiguous(author.id) - first;
    for (const { peer } of left) {
      if (peer === author) continue;
      made += own;
      known += Math.max(0, peer.log.contiguous(author.id) - first);
    }
  }
  return [known, made];
}

const share = (part: number, whole: number) => (100 * part) / Math.max(1, whole);
const idsOf = (ranked: readonly RankedItem[]) => ranked.map(({ id }) => id).join('\n');
