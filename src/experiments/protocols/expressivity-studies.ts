// Which graphs tests and networks tell apart, without training: the hierarchy of subgraph tests.

import { hasDataset, loadWholeGraphs } from '../../data/node.js';
import {
  aggregationNames,
  type ColourTestName,
  classify,
  classSchemes,
  colourGraphs,
  determines,
  equalPairs,
  type GraphProperty,
  isFiner,
  isStronger,
  poolings,
  properties,
  subgraphClasses,
  tellsApart,
} from '../../graph/index.js';
import {
  cycles,
  furerBases,
  furerPair,
  type Graph,
  GraphCollection,
  graphOfText,
  rookGraph,
  shrikhandeGraph,
} from '../../structure/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';

const tests = [...subgraphClasses, 'LFWL(2)', 'SLFWL(2)', 'FWL(2)'] as const;

/** Pairs of graphs that are not isomorphic, and which tests tell them apart, by mathematics. */
const hardPairs: readonly {
  readonly name: string;
  readonly pair: () => readonly [Graph, Graph];
  readonly told: string;
}[] = [
  { name: 'C6, 2·C3', pair: () => [cycles(6), cycles(3, 3)], told: 'YYYYYYYYY' },
  ...Object.entries({
    F1: '-YYYYYYYY',
    F2: '--YYYYYYY',
    F3: '-Y-YYYYYY',
    F4: '----YYYYY',
    F5: '-----YYYY',
    F6: '-----Y-YY',
    F7: '------YYY',
  } satisfies Record<keyof typeof furerBases, string>).map(([name, told]) => {
    const base = graphOfText(furerBases[name as keyof typeof furerBases]);
    return { name, pair: () => furerPair(base), told };
  }),
  { name: 'rook 4×4, Shrikhande', pair: () => [rookGraph(4), shrikhandeGraph()], told: '---------' },
];

/** Two fused hexagons, and two pentagons joined by an edge: only the second has cuts. */
const molecules = [
  graphOfText('0-1 1-2 2-3 3-4 4-5 5-0 4-6 6-7 7-8 8-9 9-5'),
  graphOfText('0-1 1-2 2-3 3-4 4-0 5-6 6-7 7-8 8-9 9-5 0-5'),
] as const;

/** The table of pairs, its strict steps, and the classes of all lists of aggregations. */
export function hierarchyStudy(): StudyResults {
  const pairs = hardPairs.map(({ name, pair, told }) => ({ name, told, graphs: pair() }));
  const verdicts = pairs.map(({ graphs }) => tests.map((own) => tellsApart(own, ...graphs)));
  const wrong = pairs.reduce(
    (sum, { told }, p) => sum + tests.filter((_, t) => verdicts[p]?.[t] !== (told[t] === 'Y')).length,
    0,
  );
  const only = (a: number, b: number) => verdicts.filter((own) => own[a] && !own[b]).length;
  const at = (name: ColourTestName) => tests.indexOf(name as (typeof tests)[number]);
  const steps = subgraphClasses.flatMap((a) =>
    subgraphClasses.filter((b) => isStronger(a, b)).map((b) => [a, b] as const),
  );
  const strict = steps.filter(([a, b]) => only(at(a), at(b)) > 0 && only(at(b), at(a)) === 0).length;
  const incomparable = Math.min(only(at('SWL(SV)'), at('PSWL(VS)')), only(at('PSWL(VS)'), at('SWL(SV)')));
  const misclassified = misclassifiedLists(pairs.slice(1, 6).map(({ graphs }) => graphs));
  return studyOf(
    {
      title: 'Pairs of graphs that 1-WL does not tell apart',
      note:
        'Fürer pairs of small base graphs, F1 to F7, and two pairs of regular graphs; whether a test tells them apart. ' +
        `${strict} of ${steps.length} steps of the hierarchy are strict here; ${misclassified} of 254 lists of aggregations with a pooling ` +
        'have another verdict on F1 to F5 than their class.',
      columns: ['pair', 'nodes', ...tests],
      rows: pairs.map(({ name, graphs }, p) => [
        name,
        graphs[0].nodeCount,
        ...tests.map((_, t) => (verdicts[p]?.[t] ? 'yes' : '–')),
      ]),
    },
    {
      hierarchyWrong: wrong,
      strictSteps: strict,
      incomparable,
      misclassified,
      toldByWl: pairs.filter(({ graphs }) => tellsApart('1-WL', ...graphs)).length,
      sswlAlone: only(at('SSWL'), at('LFWL(2)')),
      localAlone: only(at('LFWL(2)'), at('SSWL')),
      gap: only(at('FWL(2)'), at('SSWL')),
      sswlAbove: only(at('SSWL'), at('SLFWL(2)')),
    },
  );
}

/** Lists of aggregations whose verdicts on the pairs are not those of their class. */
function misclassifiedLists(pairs: readonly (readonly [Graph, Graph])[]): number {
  const verdicts = (test: Parameters<typeof tellsApart>[0]) =>
    pairs.map(([a, b]) => Number(tellsApart(test, a, b))).join('');
  const expected = new Map<string, string>([
    ['1-WL', pairs.map(() => 0).join('')],
    ...subgraphClasses.map((own) => [own, verdicts(classSchemes[own])] as const),
  ]);
  let wrong = 0;
  for (let mask = 1; mask < 2 ** aggregationNames.length; mask++)
    for (const pooling of poolings) {
      const aggregations = aggregationNames.filter((_, bit) => (mask >> bit) & 1);
      if (verdicts({ aggregations, pooling }) !== expected.get(classify(aggregations, pooling))) wrong += 1;
    }
  return wrong;
}

/** What the colours of tests know of distances and cuts. */
export function encodingStudy(graphs: GraphCollection, title: string): StudyResults {
  const names = Object.keys(properties) as GraphProperty[];
  const measured = (['1-WL', 'SPD-WL', 'RD-WL', ...subgraphClasses] as const).map((test) => {
    const colouring = colourGraphs(test, graphs);
    return { test, colouring, knows: names.map((property) => determines(colouring, property, graphs).holds) };
  });
  const of = (test: string) => measured.find((own) => own.test === test) as (typeof measured)[number];
  const violations = subgraphClasses.flatMap((a) =>
    subgraphClasses
      .filter((b) => isStronger(a, b))
      .flatMap((b) => names.filter((_, i) => of(b).knows[i] && !of(a).knows[i])),
  ).length;
  const above = (own: string, distance: string) =>
    Number(isFiner(of(own).colouring.graphs, of(distance).colouring.graphs));
  const fromPswl = subgraphClasses.slice(2);
  return studyOf(
    {
      title,
      note:
        'Whether nodes, or pairs of nodes, of equal colour never differ in a property; and whether graphs of equal colour ' +
        'are equal to the tests over shortest-path and resistance distances.',
      columns: ['test', ...names, 'pairs alike', 'at least SPD-WL', 'at least RD-WL'],
      rows: measured.map(({ test, colouring, knows }) => [
        test,
        ...knows.map((is) => (is ? 'yes' : '–')),
        equalPairs(colouring.graphs),
        ...['SPD-WL', 'RD-WL'].map((distance) => (above(test, distance) ? 'yes' : '–')),
      ]),
    },
    {
      monotone: violations,
      pswlAboveDistances: Math.min(...fromPswl.flatMap((own) => [above(own, 'SPD-WL'), above(own, 'RD-WL')])),
      swlAboveDistances: above('SWL(VS)', 'SPD-WL') + above('SWL(SV)', 'SPD-WL'),
    },
  );
}

/** The encoding study on the pairs of the hierarchy, and on two molecules. */
export function pairEncodingStudy(): StudyResults {
  const all = GraphCollection.of([...hardPairs.flatMap(({ pair }) => [...pair()]), ...molecules]);
  const both = GraphCollection.of([...molecules]);
  const knows = (test: ColourTestName) => Number(determines(colourGraphs(test, both), 'cut edge', both).holds);
  const { studies, scores } = encodingStudy(all, 'What colours know of distances and cuts');
  return {
    studies,
    scores: {
      ...scores,
      cutsByWl: knows('1-WL'),
      cutsBySwl: Math.min(...subgraphClasses.map(knows)),
    },
  };
}

/** Upper bounds over all connected graphs of eight nodes, and strongly regular graphs of 25. */
export function boundStudy({ graphs }: { readonly graphs: GraphCollection }): StudyResults {
  const own = (['1-WL', ...tests] as const).map((test) => ({ test, colours: colourGraphs(test, graphs).graphs }));
  const of = (test: string) => (own.find((found) => found.test === test) as (typeof own)[number]).colours;
  const order = [
    ['FWL(2)', 'SLFWL(2)'],
    ['SLFWL(2)', 'SSWL'],
    ['SLFWL(2)', 'LFWL(2)'],
    ['LFWL(2)', 'GSWL'],
    ...subgraphClasses.flatMap((a) => subgraphClasses.filter((b) => isStronger(a, b)).map((b) => [a, b] as const)),
  ] as const;
  const broken = order.filter(([a, b]) => !isFiner(of(a), of(b))).length;
  const regular = hasDataset('sr251256', 'whole-graphs') ? loadWholeGraphs('sr251256').graphs : undefined;
  const alike = regular && own.map(({ test }) => equalPairs(colourGraphs(test, regular).graphs));
  const study = studyOf(
    {
      title: 'Pairs of graphs that a test does not tell apart',
      note:
        `All ${graphs.count.toLocaleString('en')} connected graphs of 8 nodes` +
        `${alike ? ', and the 105 pairs of the 15 strongly regular graphs SR(25, 12, 5, 6)' : ''}. ` +
        `${order.length - broken} of ${order.length} inclusions of the theory hold on the former.`,
      columns: ['test', '8 nodes', ...(alike ? ['SR(25, 12, 5, 6)'] : [])],
      rows: own.map(({ test, colours }, i) => [test, equalPairs(colours), ...(alike ? [alike[i] as number] : [])]),
    },
    { broken, ...(alike && { regularTold: alike.filter((pairs) => pairs !== 105).length }) },
  );
  return joinStudies(study, encodingStudy(graphs, 'What colours know over all graphs of eight nodes'));
}
