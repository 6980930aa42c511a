// Who talks to whom in a team of agents: groups, and from them whose messages an agent reads.

/** A communication topology of N agents, 0 … N − 1. */
export interface Topology {
  /** N. */
  readonly agents: number;
  /** Groups of two or more that talk: hyperedges, each ascending, without duplicates. */
  readonly groups: readonly (readonly number[])[];
  /** Of each agent: the others whose messages it reads, ascending. */
  readonly neighbours: readonly (readonly number[])[];
}

/**
 * The topology in which the members of each group read each other. Groups of one are dropped,
 * duplicates merge.
 *
 * @throws RangeError naming the first member that is no agent
 */
export function topologyOf(agents: number, groups: readonly (readonly number[])[]): Topology {
  const distinct = new Map<string, readonly number[]>();
  const reads = Array.from({ length: agents }, () => new Set<number>());
  for (const group of groups) {
    const members = [...new Set(group)].sort((a, b) => a - b);
    const wrong = members.find((member) => !(Number.isInteger(member) && member >= 0 && member < agents));
    if (wrong !== undefined) throw new RangeError(`topologyOf: ${wrong} is no agent; there are ${agents}, from 0`);
    if (members.length < 2) continue;
    distinct.set(members.join(), members);
    for (const i of members) for (const j of members) if (i !== j) reads[i]?.add(j);
  }
  return { agents, groups: [...distinct.values()], neighbours: reads.map(ascending) };
}

/** The topology of one-way links: `to` reads `from`. A link counts as a group of two. */
export function topologyOfLinks(agents: number, links: readonly (readonly [from: number, to: number])[]): Topology {
  const reads = Array.from({ length: agents }, () => new Set<number>());
  for (const [from, to] of links) reads[to]?.add(from);
  return { agents, groups: links.map(([from, to]) => ascending([from, to])), neighbours: reads.map(ascending) };
}

function ascending(values: Iterable<number>): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Pairs {i, i + 1}. */
export function chain(agents: number): number[][] {
  return Array.from({ length: agents - 1 }, (_, i) => [i, i + 1]);
}

/** Pairs {hub, i}. */
export function star(agents: number, hub = 0): number[][] {
  return Array.from({ length: agents }, (_, i) => [hub, i]).filter(([, i]) => i !== hub);
}

/** One group of all. */
export function everyone(agents: number): number[][] {
  return [Array.from({ length: agents }, (_, i) => i)];
}

/** All pairs i < j, in the order in which sketches store them. */
export function pairsOf(agents: number): [number, number][] {
  return Array.from({ length: agents }, (_, i) =>
    Array.from({ length: agents - i - 1 }, (_, k) => [i, i + 1 + k] as [number, number]),
  ).flat();
}
