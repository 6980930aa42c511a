// A peer in a page, whose clicks stay in the database of the page.

import {
  ClickLogDatabase,
  catalogueDomain,
  GRankPeer,
  ItemLibrary,
  PeerService,
} from '../../src/embedding/grank/index.ts';
import { Random } from '../../src/tensor/index.ts';

const library = new ItemLibrary(catalogueDomain, [
  { id: '1', title: 'One', tags: ['ambient'] },
  { id: '2', title: 'Two', tags: ['ambient'] },
]);

/** Opens the log under a name, clicks, and closes it. */
globalThis.visit = async (clicks, options) => {
  const kept = await ClickLogDatabase.open('clicks', 'me', options);
  const peer = new GRankPeer('me', library, new Random(1), { log: kept.log, noise: 0 });
  const signer = { id: 'me', sign: async () => Uint8Array.of(1, 2, 3) };
  const service = new PeerService({ peer, signer, keep: (entries) => kept.append(entries) });
  const { entries, size } = kept.log;
  const before = { entries: entries.length, size, ranking: peer.rank('ambient').map(({ id, score }) => [id, score]) };
  for (const item of clicks) await service.click('ambient', item);
  const others = clicks.map((item, at) => ({
    ...{ author: 'ann', sequence: kept.log.contiguous('ann') + 1 + at, term: 'ambient', item, title: item },
    ...{ tags: [], time: at, signature: 'AAAA' },
  }));
  peer.receive(others);
  await kept.append(others);
  kept.close();
  return before;
};
