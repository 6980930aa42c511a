// A graph as a file states it: nodes with their attributes, edges with weights.

import type { Table } from '../csv.js';
import { columnNames } from '../node-columns.js';
import { weightOf, wrongWeight } from '../weights.js';

/** A graph as a file states it. */
export interface GraphDocument {
  /** Whether edges have a direction; undefined where the format does not say. */
  readonly directed: boolean | undefined;
  /** A row for each node: its name under `id`, then its attributes, '' where it has none. */
  readonly nodes: Table;
  /** Source of each edge: a row of `nodes`. */
  readonly sources: Int32Array;
  /** Target of each edge: a row of `nodes`. */
  readonly targets: Int32Array;
  /** Weight of each edge, 1 where only others have one; undefined where none has. */
  readonly weights: Float32Array | undefined;
}

/** Nodes that a short file may declare by their number alone. */
const FEW_NODES = 100_000;

/**
 * @throws Error for nodes that are declared by a number which is no number of nodes, or is out of
 * all proportion to the text: each takes memory
 */
export function requireNodeCount(count: number, text: string, builder: DocumentBuilder): void {
  if (!(Number.isInteger(count) && count > 0 && count < 2 ** 31)) builder.fail(`${count} is no number of nodes`);
  if (count > Math.max(FEW_NODES, 16 * text.length)) builder.fail(`${count} nodes are more than the file can hold`);
}

/** What a file states of a node or an edge, by name. */
export type Attributes = ReadonlyMap<string, string>;

/** Collects the nodes and edges of a file. */
export class DocumentBuilder {
  readonly #ids = new Map<string, number>();
  readonly #attributes: Attributes[] = [];
  readonly #columns = new Set<string>();
  readonly #ends: [sources: number[], targets: number[]] = [[], []];
  readonly #weights: number[] = [];
  readonly #directions: (boolean | undefined)[] = [];
  #weighted = false;

  /** @param name of the file, in errors */
  constructor(readonly name: string) {}

  fail(reason: string): never {
    throw new Error(`"${this.name}": ${reason}`);
  }

  /** Adds a node. @throws Error when its name is empty or stands twice */
  node(id: string, attributes: Attributes = new Map()): number {
    if (id === '') this.fail(`node ${this.#ids.size + 1} has no name`);
    if (this.#ids.has(id)) this.fail(`node "${id}" stands twice`);
    for (const column of attributes.keys()) this.#columns.add(column);
    this.#ids.set(id, this.#attributes.length);
    return this.#attributes.push(attributes) - 1;
  }

  /** The node of a name, which is added where the format does not list nodes. */
  nodeNamed(id: string): number {
    return this.#ids.get(id) ?? this.node(id);
  }

  /** The node of a name. @throws Error when there is none */
  known(id: string): number {
    return this.#ids.get(id) ?? this.fail(`an edge names node "${id}", which is not listed`);
  }

  /**
   * @param weight as the file has it; undefined for 1
   * @param directed undefined where the format does not say
   * @param where what errors call the edge
   */
  edge(
    source: number,
    target: number,
    weight: string | undefined,
    directed: boolean | undefined,
    where?: string,
  ): void {
    const value =
      weight === undefined
        ? 1
        : (weightOf(weight) ?? this.fail(`${where ?? `edge ${this.#weights.length + 1}`}: ${wrongWeight(weight)}`));
    this.#weighted ||= weight !== undefined;
    this.#ends[0].push(source);
    this.#ends[1].push(target);
    this.#weights.push(value);
    this.#directions.push(directed);
  }

  /**
   * An edge without a direction among directed ones stands for two.
   *
   * @param byDefault whether edges have a direction, where there are none
   * @throws Error when there are no nodes
   */
  document(byDefault?: boolean): GraphDocument {
    if (this.#ids.size === 0) this.fail('holds no nodes');
    const stated = this.#directions.length > 0 ? this.#directions[0] : byDefault;
    const directed = this.#directions.includes(true) || stated;
    if (directed)
      for (let e = 0, count = this.#directions.length; e < count; e++) {
        const [source, target] = [this.#ends[0][e] as number, this.#ends[1][e] as number];
        if (!this.#directions[e] && source !== target) {
          this.#ends[0].push(target);
          this.#ends[1].push(source);
          this.#weights.push(this.#weights[e] as number);
        }
      }
    const columns = [...this.#columns];
    const ids = [...this.#ids.keys()];
    return {
      directed,
      nodes: {
        columns: ['id', ...columns],
        rows: ids.map((id, v) => [id, ...columns.map((column) => this.#attributes[v]?.get(column) ?? '')]),
      },
      sources: Int32Array.from(this.#ends[0]),
      targets: Int32Array.from(this.#ends[1]),
      weights: this.#weighted ? Float32Array.from(this.#weights) : undefined,
    };
  }
}

/** The lines of a text, however they end. */
export const linesOf = (text: string): string[] => text.split(/\r\n|\r|\n/);

const weightNames: readonly string[] = columnNames.weight;

/** The weight among an edge's attributes. */
export function weightAmong(attributes: Attributes): string | undefined {
  for (const [name, value] of attributes) if (weightNames.includes(name.toLowerCase())) return value;
  return undefined;
}
