// Heterogeneous graphs whose nodes have names and attributes of any type, and the classes among
// them.

import type { HeteroGraph } from '../structure/index.js';
import { type AttributedGraph, columnNamed } from './attributed-graph.js';
import { CLASS_COLUMNS } from './column-names.js';

/** What is known of the nodes of one type. */
export type NodesOfType = Pick<AttributedGraph, 'nodeNames' | 'attributes' | 'matrix'>;

/** A heterogeneous graph with the names and attributes of its nodes. */
export interface NamedHeteroGraph {
  /** Name in the catalogue, or of the folder or file. */
  readonly name: string;
  /** Types, relations and their edges. */
  readonly graph: HeteroGraph;
  /** Names and attributes of the nodes of each type. */
  readonly nodes: ReadonlyMap<string, NodesOfType>;
  /** What reading left out or merged, in sentences. */
  readonly notes: readonly string[];
}

/** The nodes whose attribute is learnt. */
export interface TargetNodes {
  /** Their type. */
  readonly type: string;
  /** The attribute; undefined for the usual one. */
  readonly column: string | undefined;
}

/**
 * The type of the nodes whose attribute is learnt.
 *
 * @param target `type.attribute`, or an attribute alone. Default: `label` or `class`
 * @throws Error where no type has the attribute, or several have it
 */
export function targetNodes({ name, nodes }: NamedHeteroGraph, target?: string): TargetNodes {
  const types = [...nodes.keys()];
  const dot = target?.indexOf('.') ?? -1;
  const [type, attribute] = dot > 0 ? [target?.slice(0, dot), target?.slice(dot + 1)] : [undefined, target];
  const wanted = attribute === undefined ? CLASS_COLUMNS : [attribute];
  const holds = (own: string) => {
    const { attributes } = nodes.get(own) as NodesOfType;
    return wanted.some((column) => columnNamed(attributes, column) !== undefined);
  };
  if (type !== undefined && !types.includes(type) && types.some(holdsWhole))
    return { type: types.find(holdsWhole) as string, column: target };
  if (type !== undefined && !types.includes(type))
    throw new Error(`"${name}" has no nodes of type "${type}", only of ${types.join(', ')}`);
  const found = type === undefined ? types.filter(holds) : types.filter((own) => own === type && holds(own));
  const [first, second] = found;
  const asked = wanted.map((column) => `"${column}"`).join(' or ');
  if (first === undefined)
    throw new Error(
      `"${name}": ${type === undefined ? 'no type of nodes has' : `nodes of type "${type}" have no`} attribute ${asked}; name one by --target type.attribute: ${attributesOf(nodes)}`,
    );
  if (second !== undefined)
    throw new Error(
      `"${name}": nodes of the types ${found.join(', ')} have an attribute ${asked}; choose by --target ${first}.${wanted[0]}`,
    );
  return { type: first, column: attribute };

  function holdsWhole(own: string): boolean {
    return columnNamed((nodes.get(own) as NodesOfType).attributes, target as string) !== undefined;
  }
}

/** The attributes of all types, as `type.attribute`. */
function attributesOf(nodes: ReadonlyMap<string, NodesOfType>): string {
  const all = [...nodes].flatMap(([type, { attributes }]) => attributes.columns.map(({ name }) => `${type}.${name}`));
  return all.length > 12 ? `${all.slice(0, 12).join(', ')}, …` : all.join(', ') || 'there are no attributes';
}

/** @throws Error for a graph without edges, or one whose nodes of a type are in none of them */
export function requireRelations({ name, graph }: NamedHeteroGraph, type: string): void {
  if (graph.edgeCount === 0) throw new Error(`"${name}" has no edges; a table of a relation must have lines`);
  if (graph.into(type).every(({ edgeCount }) => edgeCount === 0))
    throw new Error(
      `"${name}": nodes of type "${type}" are in no relation; ${graph.given.map(({ key }) => `"${key}"`).join(', ')} are between others`,
    );
}
