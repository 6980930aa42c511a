// A cursor over a syntax tree, as cheap as the runtime allows.
//
// web-tree-sitter copies the state of its `TreeCursor` into WebAssembly memory and out again at
// every step. Where the functions of the WebAssembly module are at hand, the walker leaves that
// state there, which halves the time of a conversion; the steps are the same.

import type { Tree } from 'web-tree-sitter';

/** A position in a syntax tree, and the steps from it. */
export interface Walker {
  /** Number of the node's type in its grammar; 65535 for an ERROR node. */
  type(): number;
  /** Number of the field of its parent that holds the node; 0 for none. */
  field(): number;
  /** Where the node starts in the source, in UTF-16 units. */
  start(): number;
  /** Where it ends. */
  end(): number;
  /** Whether the parser made the node up. */
  missing(): boolean;
  /** Moves to the first child. @returns whether there is one */
  firstChild(): boolean;
  /** Moves to the next sibling. @returns whether there is one */
  nextSibling(): boolean;
  /** Moves to the parent. @returns whether there is one */
  parent(): boolean;
  /** Frees the cursor. */
  close(): void;
}

/** The functions of the module behind the steps. */
const exportNames = {
  create: '_ts_tree_cursor_new_wasm',
  free: '_ts_tree_cursor_delete_wasm',
  root: '_ts_tree_root_node_wasm',
  type: '_ts_tree_cursor_current_node_type_id_wasm',
  field: '_ts_tree_cursor_current_field_id_wasm',
  start: '_ts_tree_cursor_start_index_wasm',
  end: '_ts_tree_cursor_end_index_wasm',
  missing: '_ts_tree_cursor_current_node_is_missing_wasm',
  first: '_ts_tree_cursor_goto_first_child_wasm',
  next: '_ts_tree_cursor_goto_next_sibling_wasm',
  parent: '_ts_tree_cursor_goto_parent_wasm',
} as const;

type Steps = Readonly<Record<keyof typeof exportNames, (tree: number) => number>>;

/**
 * A walker at the root of a tree. Nothing else may use the runtime until it is closed.
 *
 * @param module the WebAssembly module of web-tree-sitter with its exports, where known
 */
export function walkerOf(tree: Tree, module: Readonly<Record<string, unknown>>): Walker {
  const address = (tree as unknown as { readonly 0: unknown })[0];
  const steps = Object.entries(exportNames).map(([step, name]) => [step, module[name]] as const);
  const known = typeof address === 'number' && steps.every(([, run]) => typeof run === 'function');
  return known ? nativeWalker(address, Object.fromEntries(steps) as unknown as Steps) : publicWalker(tree);
}

function nativeWalker(tree: number, steps: Steps): Walker {
  // Each reads what the one before left in the transfer buffer.
  steps.root(tree);
  steps.create(tree);
  return {
    type: () => steps.type(tree),
    field: () => steps.field(tree),
    start: () => steps.start(tree),
    end: () => steps.end(tree),
    missing: () => steps.missing(tree) === 1,
    firstChild: () => steps.first(tree) === 1,
    nextSibling: () => steps.next(tree) === 1,
    parent: () => steps.parent(tree) === 1,
    close: () => {
      steps.free(tree);
    },
  };
}

function publicWalker(tree: Tree): Walker {
  const cursor = tree.walk();
  return {
    type: () => cursor.nodeTypeId,
    field: () => cursor.currentFieldId,
    start: () => cursor.startIndex,
    end: () => cursor.endIndex,
    missing: () => cursor.nodeIsMissing,
    firstChild: () => cursor.gotoFirstChild(),
    nextSibling: () => cursor.gotoNextSibling(),
    parent: () => cursor.gotoParent(),
    close: () => cursor.delete(),
  };
}
