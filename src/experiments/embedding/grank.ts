// G-Rank: peers that rank by their own clicks and those gossiped to them, beside ranking without
// similarity, by own clicks, at random, and by one central log; attacks, devices offline, other
// kinds of items, and real peers over libp2p.

import { Random } from '../../tensor/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { costStudy, localStudy } from '../protocols/peer-costs.js';
import { groupStudy } from '../protocols/peer-groups.js';
import { networkStudy } from '../protocols/peer-network.js';
import {
  CUT_OFF,
  describePeerData,
  loadPeerData,
  PUSH,
  peerArms,
  peerMethod,
  peerMetrics,
  peerOptions,
  titles,
  under,
} from '../protocols/peers.js';

const options = {
  ...peerOptions,
  trouble: choice(['yes', 'no'], 'whether attacks, pushes and peers offline are simulated, and costs studied'),
  nodes: count(20, 'peers over libp2p', { smoke: 4, minimum: 3 }),
  queries: count(200, 'searches of each', { smoke: 4 }),
};

type Values = OptionValues<typeof options>;
type Run = Evidence<Values>;

const { abstract, paper, ours } = claimsOf<Values>();
const { one: ONE, zero: ZERO, counts: COUNTS, own: OWN, random: RANDOM, central: CENTRAL } = titles;

/** A distance as a share of that at the start. */
const left = (e: Run, title: string, when: string) => e.mean(title, when) / e.mean(title, 'start');
const both = (value: (title: string) => number) => Math.max(value(ONE), value(ZERO));
const epic = (isolation: 0 | 1) => under(isolation, 'epic');
const inflation = (isolation: 0 | 1) => under(isolation, 'inflation');
const targeted = (isolation: 0 | 1) => under(isolation, 'targeted');
const eachF = (value: (isolation: 0 | 1) => number) => [value(0), value(1)];
const attacks = (isolation: 0 | 1) => [targeted(isolation), inflation(isolation)];
const attackedEnd = (e: Run) =>
  Math.max(...eachF((f) => Math.max(...attacks(f).map((title) => left(e, title, 'end')))));
const rise = (e: Run, title: string) => e.mean(title, 'after') - e.mean(title, 'half');

const releases = where<Values>({ data: ['releases'] }, [
  abstract('accurate', 'Distance at 25 % over that at the start, F = 0 and 1, the larger', atMost(0.1), (e) =>
    both((title) => left(e, title, 'quarter')),
  ),
  abstract('accurate', 'Distance at the end over that at the start, F = 0 and 1, the larger', atMost(0.04), (e) =>
    both((title) => left(e, title, 'end')),
  ),
  abstract('accurate', 'Distance at the end over that of own clicks, F = 0 and 1, the larger', atMost(0.2), (e) =>
    both((title) => e.ratio(title, OWN, 'end')),
  ),
  abstract('accurate', 'First result as all clicks have it, at 25 %, F = 1 (%)', atLeast(95), (e) =>
    e.mean(ONE, 'topQuarter'),
  ),
  ours('First result in random order, at 25 % (%)', atMost(50), (e) => e.mean(RANDOM, 'topQuarter')),
  ours('First result with F = 0, at the end, less that in random order (points)', above(0), (e) =>
    e.gain(ZERO, RANDOM, 'top'),
  ),
  ours('First result of one central log less that with F = 1, at the end (points)', atMost(5), (e) =>
    e.gain(CENTRAL, ONE, 'top'),
  ),
  ours('First result of counts less that with F = 1, at the end (points)', atMost(5), (e) =>
    e.gain(COUNTS, ONE, 'top'),
  ),
]);

const troubled = where<Values>({ data: ['releases'], when: ({ trouble }) => trouble === 'yes' }, [
  abstract('local', 'Rankings that are equal without all other peers (%)', atLeast(100), (e) => e.study('local')),
  abstract('offline', 'Queries that peers offline answer (%)', atLeast(100), (e) => e.mean(CUT_OFF, 'cutAnswered')),
  abstract('offline', 'First result of peers offline as all clicks have it, at the end (%)', atLeast(90), (e) =>
    e.mean(CUT_OFF, 'cutTop'),
  ),
  abstract('overhead', 'A ranking with 14,000 clicks (ms)', below(5), (e) => e.study('rankMs')),
  abstract('overhead', 'Taking in 500 clicks (ms)', below(50), (e) => e.study('intakeMs')),
  abstract('overhead', 'Memory of 14,000 clicks (MB)', below(10), (e) => e.study('memoryMB')),
  paper('Inflation: distance at the end over that before it, F = 0 and 1, the smaller', above(1), (e) =>
    Math.min(...eachF((f) => e.mean(inflation(f), 'end') / e.mean(inflation(f), 'half'))),
  ),
  paper('Inflation: distance with F = 0 over that with F = 1, at the end', atMost(0.9), (e) =>
    e.ratio(inflation(0), inflation(1), 'end'),
  ),
  paper('Targeted attack and inflation: distance at the end over that at the start, largest', below(1), attackedEnd),
  ours('Targeted attack and inflation: distance at the end over that at the start, largest', below(0.5), attackedEnd),
  paper('Inflation: distance at the end over that of the targeted attack, F = 1', atLeast(3), (e) =>
    e.ratio(inflation(1), targeted(1), 'end'),
  ),
  paper('Push: mean distance before the attack over that of pull', below(1), (e) =>
    e.ratio(PUSH, targeted(1), 'before'),
  ),
  paper(
    'Push: rise of the distance after the attack less that of pull',
    above(0),
    (e) => rise(e, PUSH) - rise(e, targeted(1)),
  ),
  paper('Epic Sybil: largest distance over that of the other attacks, F = 0 and 1, the smaller', above(1), (e) =>
    Math.min(
      ...eachF((f) => e.mean(epic(f), 'worst') / Math.max(...attacks(f).map((title) => e.mean(title, 'worst')))),
    ),
  ),
  paper('Epic Sybil: distance at the end over that at the start, F = 0 and 1, the larger', below(1), (e) =>
    Math.max(...eachF((f) => left(e, epic(f), 'end'))),
  ),
  ours(
    'Taste of the own group in first results, F = 0 less counts (points)',
    atLeast(20),
    (e) => e.study(`groups ${ZERO}`) - e.study(`groups ${COUNTS}`),
  ),
  ours('Peers over libp2p: rankings as in the simulation (%)', atLeast(100), (e) => e.study('sameRankings')),
  ours('Peers over libp2p: searches answered after a quarter is gone (%)', atLeast(100), (e) =>
    e.study('answeredAfter'),
  ),
  ours('Peers over libp2p: clicks since then that the others know (%)', atLeast(80), (e) => e.study('spreadAfter')),
]);

const elsewhere = where<Values>({ data: ['prices', 'r8'] }, [
  abstract('domains', 'First result as all clicks have it, at the end, F = 1 (%)', atLeast(90), (e) =>
    e.mean(ONE, 'top'),
  ),
]);

export const experiment = defineExperiment({
  options,
  datasets: ['releases', 'prices', 'r8'],
  ownData: 'a table of items with id, title and tags, whose most frequent tags are the queries',
  presets: { prices: { trouble: 'no' }, r8: { trouble: 'no' } },
  reproduction: [{ data: 'releases' }, { data: 'prices' }, { data: 'r8' }],
  metrics: peerMetrics,
  methods: ({ peers, trouble }) => peerArms(peers, trouble === 'yes').map(({ title }) => title),
  notes: ({ peers, ticks }) => [
    `${peers} peers, ${ticks} searches: a random peer, a random query, a click on what is shown first, then one pull. All arms have the same libraries, first clicks and searches.`,
    'Distance: places by which items differ between the ranking by counts of the own log and that by all clicks of honest peers, summed over the items of a query; mean over peers and queries. By score: of the ranking that the peer makes. Counts of the own log do not see similarity or F, but for what they make users click.',
    'Attackers join at 25 % and strike at 50 %. Targeted: a tenth as many as honest peers, one query each, 100 clicks on the last result. Inflation: as many, 1,000 clicks on random results. Epic Sybil: three times as many as honest peers, 100 clicks each on the last result.',
    'Releases and prices are drawn for each seed; r8: 200 news texts, queries are words of 10 to 28 of them.',
  ],
  load: (source, values) => loadPeerData(source, values),
  describe: (data) => describePeerData(data, new Random(0)),
  runSeed: async (data, values, context) => {
    const domain = data.draw(context.random.split('domain'));
    const arms = peerArms(values.peers, values.trouble === 'yes');
    return runMethods(
      arms.map((arm) => peerMethod(arm, domain, values, context)),
      context,
    );
  },
  studies: async (data, values, context) =>
    values.trouble === 'no' || data.name !== 'releases'
      ? noStudies
      : joinStudies(
          localStudy(data),
          costStudy(),
          groupStudy(data, values, [0, 1, 2]),
          await networkStudy(data, values, context),
        ),
  claims: [...releases, ...troubled, ...elsewhere],
});
