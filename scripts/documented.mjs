// Lists what is public and has no documentation comment: classes, interfaces, functions and type
// aliases that an entry of package.json exports, and the public members of those classes and
// interfaces.
//
// node scripts/documented.mjs [folder of src …] [--list]

import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Source files that the package exports. */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.values(exports)
    .filter((target) => typeof target === 'object')
    .map(({ default: file }) => join(root, file.replace('./dist/', 'src/').replace(/\.js$/, '.ts')));
}

/** Whether a declaration has a documentation comment of its own. */
function isDocumented(node) {
  const declaration = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  return ts.getJSDocCommentsAndTags(declaration).some((comment) => ts.isJSDoc(comment));
}

function isHidden(member) {
  const name = member.name;
  if (!name || ts.isPrivateIdentifier(name)) return true;
  return (ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
}

/** Members that carry no name of their own, or whose meaning their interface gives. */
function isInherited(member, checker) {
  const parent = member.parent;
  if (!ts.isClassDeclaration(parent) || !parent.heritageClauses) return false;
  return parent.heritageClauses
    .flatMap(({ types }) => types)
    .some((type) => checker.getTypeAtLocation(type).getProperty(member.name.getText()) !== undefined);
}

/** Everything public of the package: name, file and whether it is documented. */
export function publicDeclarations() {
  const files = entries();
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
  });
  const checker = program.getTypeChecker();
  const found = new Map();
  const add = (node, name) => {
    const file = relative(root, node.getSourceFile().fileName);
    const line = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1;
    // One comment serves all overloads of a function, and an interface merged with a class.
    const documented = isDocumented(node) || found.get(`${file}:${name}`)?.documented === true;
    found.set(`${file}:${name}`, { file, line, name, documented });
  };
  for (const path of files) {
    const source = program.getSourceFile(path);
    if (!source) throw new Error(`"${path}" is not part of the program`);
    for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(source))) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      for (const node of symbol.declarations ?? []) {
        if (node.getSourceFile().fileName.includes('node_modules')) continue;
        add(node, symbol.name);
        if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) continue;
        for (const member of node.members)
          if (!isHidden(member) && !isInherited(member, checker))
            add(member, `${symbol.name}.${member.name.getText()}`);
      }
    }
  }
  return [...found.values()];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const all = publicDeclarations().filter(
    ({ file }) => wanted.length === 0 || wanted.some((folder) => file.startsWith(`src/${folder}`)),
  );
  const folders = new Map();
  for (const declaration of all) {
    const folder = declaration.file.split('/')[1];
    folders.set(folder, [...(folders.get(folder) ?? []), declaration]);
  }
  for (const [folder, own] of folders) {
    const count = own.filter(({ documented }) => documented).length;
    console.log(
      `${folder.padEnd(14)} ${count} of ${own.length} documented (${Math.round((100 * count) / own.length)} %)`,
    );
  }
  if (process.argv.includes('--list'))
    for (const { file, line, name, documented } of all) if (!documented) console.log(`${file}:${line} ${name}`);
}
