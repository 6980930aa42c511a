// The syntax tree of a template, as @huggingface/jinja parses it.

import { parse, tokenize } from '@huggingface/jinja';

export interface Name {
  readonly type: 'Identifier';
  readonly value: string;
}
export interface NamedArgument {
  readonly type: 'KeywordArgumentExpression';
  readonly key: Name;
  readonly value: Node;
}
export interface Call {
  readonly type: 'CallExpression';
  readonly callee: Node;
  readonly args: readonly Node[];
}
export interface Slice {
  readonly type: 'SliceExpression';
  readonly start?: Node;
  readonly stop?: Node;
  readonly step?: Node;
}
export interface Member {
  readonly type: 'MemberExpression';
  readonly object: Node;
  readonly property: Node;
  readonly computed: boolean;
}
export interface Loop {
  readonly type: 'For';
  readonly loopvar: Node;
  readonly iterable: Node;
  readonly body: readonly Node[];
  readonly defaultBlock: readonly Node[];
}
export interface Macro {
  readonly type: 'Macro';
  readonly name: Name;
  readonly args: readonly Node[];
  readonly body: readonly Node[];
}
export interface CallBlock {
  readonly type: 'CallStatement';
  readonly call: Call;
  readonly callerArgs: readonly Node[] | null;
  readonly body: readonly Node[];
}
export interface Assignment {
  readonly type: 'Set';
  readonly assignee: Node;
  readonly value: Node | null;
  readonly body: readonly Node[];
}
export interface Binary {
  readonly type: 'BinaryExpression';
  readonly operator: { readonly value: string };
  readonly left: Node;
  readonly right: Node;
}
export interface Unary {
  readonly type: 'UnaryExpression';
  readonly operator: { readonly value: string };
  readonly argument: Node;
}

export type Node =
  | Name
  | NamedArgument
  | Call
  | Slice
  | Member
  | Loop
  | Macro
  | CallBlock
  | Assignment
  | Binary
  | Unary
  | { readonly type: 'If'; readonly test: Node; readonly body: readonly Node[]; readonly alternate: readonly Node[] }
  | { readonly type: 'Break' | 'Continue' | 'Comment' }
  | { readonly type: 'IntegerLiteral' | 'FloatLiteral'; readonly value: number }
  | { readonly type: 'StringLiteral'; readonly value: string }
  | { readonly type: 'ArrayLiteral' | 'TupleLiteral'; readonly value: readonly Node[] }
  | { readonly type: 'ObjectLiteral'; readonly value: ReadonlyMap<Node, Node> }
  | { readonly type: 'FilterExpression'; readonly operand: Node; readonly filter: Name | Call }
  | { readonly type: 'FilterStatement'; readonly filter: Name | Call; readonly body: readonly Node[] }
  | { readonly type: 'TestExpression'; readonly operand: Node; readonly negate: boolean; readonly test: Name }
  | { readonly type: 'SelectExpression'; readonly lhs: Node; readonly test: Node }
  | { readonly type: 'Ternary'; readonly condition: Node; readonly trueExpr: Node; readonly falseExpr: Node }
  | { readonly type: 'SpreadExpression' | 'KeywordSpreadExpression'; readonly argument: Node };

/** Longest template in characters. */
const LONGEST = 2 ** 18;
/** Longest run of white space: the parser's time grows with its square. */
const LONGEST_SPACE = 512;

/**
 * Parses a template.
 *
 * @throws Error when it is not Jinja, longer than 2¹⁸ characters, or nested too deeply.
 */
export function parseTemplate(template: string): readonly Node[] {
  if (template.length > LONGEST)
    throw new Error(`it has ${template.length} characters, more than the ${LONGEST} that templates may have`);
  if (template.match(/\s+/g)?.some(({ length }) => length > LONGEST_SPACE))
    throw new Error(`it has more than ${LONGEST_SPACE} characters of white space in a row`);
  try {
    // Jinja reads all line ends as \n.
    const source = template.replace(/\r\n?/g, '\n');
    const program: unknown = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    return (program as { readonly body: readonly Node[] }).body;
  } catch (error) {
    // The parser reads past the end of unfinished templates, and recurses.
    if (error instanceof TypeError) throw new Error('it ends within a statement or expression');
    if (error instanceof RangeError) throw new Error('it nests too deeply');
    throw error;
  }
}
