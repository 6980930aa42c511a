// GEXF (gexf.net), as Gephi writes it.

import { type Attributes, DocumentBuilder, type GraphDocument, weightAmong } from './document.js';
import { walkXml } from './xml.js';

/**
 * Names of nodes are their ids; their labels become the attribute `name`. What only concerns
 * drawing is left out.
 *
 * @throws Error where the text is no well-formed GEXF, and for nodes within nodes or values that
 * change in time
 */
export function readGexf(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  const titles = { node: new Map<string, string>(), edge: new Map<string, string>() };
  const defaults = { node: new Map<string, string>(), edge: new Map<string, string>() };
  const edges: { readonly at: Readonly<Record<string, string>>; readonly values: Attributes }[] = [];
  let of: 'node' | 'edge' = 'node';
  let values = new Map<string, string>();
  let given = new Set<string>();
  let attribute = '';
  let byDefault = 'undirected';
  walkXml(text, name, {
    open({ name: tag, attributes: at, path }) {
      if (tag === 'graph') byDefault = at.defaultedgetype ?? byDefault;
      if (tag === 'attributes') of = at.class === 'edge' ? 'edge' : 'node';
      if (tag === 'attribute') {
        attribute = at.title ?? at.id ?? '';
        titles[of].set(at.id ?? '', attribute);
      }
      if (tag === 'node' || tag === 'edge') {
        if (path.includes('node')) builder.fail('has nodes within nodes; nested graphs are not read');
        values = new Map(defaults[tag]);
        given = new Set();
        if (tag === 'node' && at.label !== undefined) values.set('name', at.label);
      }
      if (tag === 'attvalue') {
        const what = path.includes('edge') ? 'edge' : 'node';
        const id = at.for ?? at.id ?? '';
        const title = titles[what].get(id) ?? builder.fail(`a value is for attribute "${id}", which is not declared`);
        if (given.has(title))
          builder.fail(`attribute "${title}" of a ${what} has several values; values that change in time are not read`);
        given.add(title);
        values.set(title, at.value ?? '');
      }
    },
    close({ name: tag, attributes: at, path }, content) {
      if (tag === 'default' && path.at(-1) === 'attribute') defaults[of].set(attribute, content.trim());
      if (tag === 'node') builder.node(at.id ?? '', values);
      if (tag === 'edge') edges.push({ at, values });
    },
  });
  for (const { at, values: own } of edges) {
    const [source, target] = [at.source, at.target].map((end) => builder.known(end ?? '')) as [number, number];
    const type = at.type ?? byDefault;
    if (!['directed', 'undirected', 'mutual'].includes(type)) builder.fail(`an edge has the type "${type}"`);
    const weight = at.weight ?? weightAmong(own);
    builder.edge(source, target, weight, type !== 'undirected');
    if (type === 'mutual' && source !== target) builder.edge(target, source, weight, true);
  }
  return builder.document(byDefault !== 'undirected');
}
