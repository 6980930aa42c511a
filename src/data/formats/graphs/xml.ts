// Walks an XML file from element to element.

import { SaxesParser } from 'saxes';

/** An element that is open. */
export interface OpenElement {
  /** Its name without the prefix of a namespace. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Names of the elements around it, the outermost first. */
  readonly path: readonly string[];
}

/** What is called for the elements of a file. */
export interface XmlHandler {
  open(element: OpenElement): void;
  /** @param text what stands in the element itself, without its children's */
  close(element: OpenElement, text: string, hasChildren: boolean): void;
}

/** Characters that are parsed at once. */
const PIECE = 1 << 16;

/**
 * @throws Error naming line and column where the text is not well formed; entities are not defined
 */
export function walkXml(text: string, name: string, handler: XmlHandler): void {
  const parser = new SaxesParser({ position: true, xmlns: false as const });
  const stack: { element: OpenElement; text: string; hasChildren: boolean }[] = [];
  parser.on('error', ({ message }) => {
    throw new Error(`"${name}" is not well-formed XML: ${message}`);
  });
  parser.on('opentag', ({ name: full, attributes }) => {
    const around = stack.at(-1);
    if (around) around.hasChildren = true;
    const element = { name: localName(full), attributes, path: stack.map((own) => own.element.name) };
    stack.push({ element, text: '', hasChildren: false });
    handler.open(element);
  });
  const add = (piece: string) => {
    const top = stack.at(-1);
    if (top) top.text += piece;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', () => {
    const { element, text: own, hasChildren } = stack.pop() as (typeof stack)[number];
    handler.close(element, own, hasChildren);
  });
  for (let at = 0; at < text.length; at += PIECE) parser.write(text.slice(at, at + PIECE));
  parser.close();
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1);

/** Text as it stands in an XML file. @throws Error for a character that XML does not know */
export function escapeXml(text: string): string {
  const strange = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.exec(text);
  if (strange) throw new Error(`character U+${strange[0].codePointAt(0)?.toString(16)} cannot stand in XML`);
  return text.replace(/[&<>"\t\n\r]/g, (found) => `&#${found.charCodeAt(0)};`);
}
