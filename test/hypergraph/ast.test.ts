import { describe, expect, test } from 'vitest';
import type { Node } from 'web-tree-sitter';
import {
  AST,
  IDENT,
  type LanguageName,
  languageOf,
  languages,
  loadParser,
  ParseError,
  type SourceParser,
  type SyntaxHypergraph,
  sourceHypergraph,
} from '../../src/hypergraph/index.js';

const python = 'def f(a, b):\n    return a - b\n';
const java = 'class A { static int f(int a, int b) { return a - b; } }';
const typescript = 'function f(a: number, b: number) { return a - b; }';

const hypergraphOf = async (language: LanguageName, source: string, options = {}) =>
  sourceHypergraph(await loadParser(language), source, 'x', options);

/** `type head←tail` of each hyperedge. */
const listed = (program: SyntaxHypergraph) =>
  program.types.map((type, e) => {
    const [head, ...tail] = program.hyperedge(e);
    return `${type} ${head}←${tail.join()}`;
  });

describe('the conversion of syntax trees', () => {
  test.each([
    ['python', python, 17, 15, 31],
    ['java', java, 31, 29, 59],
    ['typescript', typescript, 25, 23, 47],
    ['python', 'x = [1, "s"]  # c\n', 15, 11, 25],
  ] as const)('of %s %j has the measured sizes', async (language, source, vertices, hyperedges, nnz) => {
    const program = await hypergraphOf(language, source);
    expect([program.vertexCount, program.hyperedgeCount, program.nnz]).toEqual([vertices, hyperedges, nnz]);
    expect(program.members.indices.length).toBe(nnz);
  });

  test('of the first vector, in full', async () => {
    const program = await hypergraphOf('python', python);
    const nodes = program.values.map((value, v) => (program.kinds[v] === IDENT ? `⟨${value}⟩` : value));
    expect(nodes.join(' ')).toBe(
      'module function_definition identifier ⟨f⟩ parameters identifier ⟨a⟩ identifier ⟨b⟩ block return_statement binary_operator identifier ⟨a⟩ ⟨-⟩ identifier ⟨b⟩',
    );
    expect(listed(program)).toEqual(
      [
        ['@module 0←1', 'name 1←2', 'text 2←3', 'parameters 1←4', '@parameters 4←5,7', 'text 5←6', 'text 7←8'],
        ['body 1←9', '@block 9←10', '@return_statement 10←11', 'left 11←12', 'text 12←13', 'operator 11←14'],
        ['right 11←15', 'text 15←16'],
      ].flat(),
    );
    expect([...program.parents]).toEqual([-1, 0, 1, 2, 1, 4, 5, 4, 7, 1, 9, 10, 11, 12, 11, 11, 15]);
    expect(python.slice(program.starts[13], (program.starts[13] as number) + 1)).toBe('a');
  });

  const sources: readonly (readonly [LanguageName, string])[] = [
    ['python', python],
    [
      'python',
      '# c\nfrom a import b as c\n@d\nclass A(B, *e, k=1):\n  "doc"\n  x: int = not 2 \\\n    + 3\n  async def g(self): \n    yield f"{self.x!r:>3} é𝕏" # d\n',
    ],
    ['java', java],
    [
      'java',
      '/* a */ package p; import q.*;\npublic final class B<T extends C> implements D {\n  // b\n  private static final long x = 0x1FL; int[] y = {1, 2};\n  @Override public <U> void h(U... u) throws E { for (int i = 0, j = 1; i < 9; i += j) { if (u == null) continue; else y[i]++; } switch (1) { default: break; } }\n}\n',
    ],
    ['typescript', typescript],
    [
      'typescript',
      'abstract class A<T> extends B implements C { private static readonly x?: Map<string, T[]> = new Map(); get y() { return `a$' +
        '{this.x!}`; } }\nexport const f = async (a = 1, ...b: any[]): Promise<void> => { for await (const c of d) delete c[0]; };\n',
    ],
    ['tsx', 'const a = <B c={1}>text {d}</B>;\n'],
  ];

  test.each(sources)('of %s %j equals the rule applied by recursion over nodes', async (language, source) => {
    const parser = await loadParser(language);
    for (const module of [parser.module, {}])
      expect(described(sourceHypergraph({ ...parser, module }, source))).toEqual(byRecursion(parser, source));
  });

  test('puts every vertex but the root in one tail, heads before tails', async () => {
    for (const [language, source] of sources) {
      const program = await hypergraphOf(language, source);
      expect(program.nnz).toBe(program.hyperedgeCount + program.vertexCount - 1);
      const tails = program.types.flatMap((_, e) => [...program.hyperedge(e)].slice(1));
      expect(tails.sort((a, b) => a - b)).toEqual(Array.from({ length: program.vertexCount - 1 }, (_, v) => v + 1));
      const { hypergraph, roles } = program.structure(() => 0);
      expect([...hypergraph.members.indices]).toEqual([...program.members.indices]);
      expect(roles.filter((role) => role === 0).length).toBe(program.hyperedgeCount);
    }
  });

  test.each([
    ['python', `x = ${'['.repeat(1e5)}${']'.repeat(1e5)}\n`],
    ['java', `class A { int x = ${'('.repeat(1e5)}1${')'.repeat(1e5)}; }`],
    ['typescript', `let x = ${'-'.repeat(2)}${'!'.repeat(1e5)}y;`],
  ] as const)('of %s a hundred thousand levels deep', async (language, source) => {
    const program = await hypergraphOf(language, source.replace('--', '- -'));
    expect(program.vertexCount).toBeGreaterThan(1e5);
  });

  test('anonymises names, strings and, where asked, numbers', async () => {
    const source = 'class Solve { String s = "Case #"; double d = 3.5; }';
    const idents = async (numbers: boolean) => {
      const program = await hypergraphOf('java', source, { anonymise: { numbers }, tokens: true });
      return { values: program.values.filter((_, v) => program.kinds[v] === IDENT), tokens: program.tokens?.join(' ') };
    };
    expect(await idents(false)).toEqual({
      values: ['⟨id⟩', '⟨id⟩', '⟨id⟩', '⟨str⟩', 'double', '⟨id⟩', '3.5'],
      tokens: 'class ⟨id⟩ { ⟨id⟩ ⟨id⟩ = ⟨str⟩ ; double ⟨id⟩ = 3.5 ; }',
    });
    expect((await idents(true)).tokens).toBe('class ⟨id⟩ { ⟨id⟩ ⟨id⟩ = ⟨str⟩ ; double ⟨id⟩ = ⟨num⟩ ; }');
  });

  test('cuts texts at 64 characters', async () => {
    const program = await hypergraphOf('python', `x = "${'a'.repeat(100)}"\n`);
    expect(Math.max(...program.values.map(({ length }) => length))).toBe(64);
  });
});

describe('sources that cannot be read', () => {
  test.each(['', ' \n\t'])('%j is empty', async (source) => {
    await expect(hypergraphOf('python', source)).rejects.toThrow('file "x" is empty');
  });

  test('a syntax error has a line and a column', async () => {
    const error = await hypergraphOf('java', 'class A {\n  int f( { }\n}').catch((own: unknown) => own);
    expect(error).toBeInstanceOf(ParseError);
    expect(error).toMatchObject({
      line: 2,
      message: expect.stringMatching(/^file "x", line 2, column \d+: Java syntax error/),
    });
    await expect(hypergraphOf('python', 'def f(:\n')).rejects.toThrow('line 1, column');
    await expect(hypergraphOf('typescript', `x = ${'['.repeat(1e5)}`)).rejects.toThrow('TypeScript syntax error');
  });

  test('a tree with errors is read where asked for, without its ERROR nodes', async () => {
    const program = await hypergraphOf('python', 'x = 1\ny = = 2\n', { allowErrors: true });
    expect(program.values).not.toContain('ERROR');
    expect(program.values).toContain('x');
  });

  test('languages are told by the endings of files', () => {
    const paths = ['a/b.py', 'B.JAVA', 'c.ts', 'd.tsx', 'e.rb'];
    expect(paths.map(languageOf)).toEqual(['python', 'java', 'typescript', 'tsx', undefined]);
  });

  test('a grammar that is none says what to install', async () => {
    await loadParser('java');
    const { loadParser: fresh } = await import('../../src/hypergraph/ast/parser.js?fresh' as string);
    await expect(fresh('java', { grammar: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) })).rejects.toThrow(
      'install tree-sitter-java',
    );
  });
});

/** Kinds, values, hyperedges and their members. */
function described(program: SyntaxHypergraph) {
  return { nodes: program.values.map((value, v) => `${program.kinds[v]} ${value}`), edges: listed(program) };
}

/** The rule of the conversion, by recursion over the nodes of the public interface. */
function byRecursion(parser: SourceParser, source: string) {
  const comments = ['comment', 'line_comment', 'block_comment'];
  const nodes: string[] = [];
  const edges: { type: string; head: number; tail: number[] }[] = [];
  const ident = (text: string) => nodes.push(`${IDENT} ${text.slice(0, 64)}`) - 1;
  const visit = (n: Node): number => {
    const id = nodes.push(`${AST} ${n.type}`) - 1;
    const groups = new Map<string, number[]>();
    for (let i = 0; i < n.childCount; i++) {
      const c = n.child(i) as Node;
      if (comments.includes(c.type) || c.isMissing || c.isExtra) continue;
      const f = n.fieldNameForChild(i);
      if (!c.isNamed && !f && n.type !== 'modifiers') continue;
      const key = f ?? `@${n.type}`;
      let tail = groups.get(key);
      if (!tail) {
        tail = [];
        groups.set(key, tail);
        edges.push({ type: key, head: id, tail });
      }
      tail.push(c.isNamed ? visit(c) : ident(c.text));
    }
    if (groups.size === 0 && n.text !== '') {
      const edge = { type: 'text', head: id, tail: [] as number[] };
      edges.push(edge);
      edge.tail.push(ident(n.text));
    }
    return id;
  };
  expect(languages[parser.language].title).toBeTruthy();
  const tree = parser.parse(source);
  expect(tree.rootNode.hasError).toBe(false);
  visit(tree.rootNode);
  tree.delete();
  return { nodes, edges: edges.map(({ type, head, tail }) => `${type} ${head}←${tail.join()}`) };
}
