// Pieces of HTML that reports are made of.

import type { Table } from '../parts/contract.js';

export function escapeHtml(text: string | number): string {
  return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

export function htmlTable({ columns, rows }: Table): string {
  const cells = (tag: string, values: readonly (string | number)[]) =>
    values.map((value) => `<${tag}>${escapeHtml(value)}</${tag}>`).join('');
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('');
  return `<div class="wide"><table><thead><tr>${cells('th', columns)}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export const style = `
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2b30; background: #fdfcf9; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
  table { border-collapse: collapse; } th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #ddd6c8; white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; } th { font-weight: 600; white-space: normal; vertical-align: bottom; }
  .wide { overflow-x: auto; } figure { margin: 1.5rem 0; overflow-x: auto; } figcaption { font-weight: 600; margin-bottom: .4rem; }
  .claims { list-style: none; padding: 0; }
  .holds { color: #2b7a4b; } .fails { color: #b3402a; } .note { color: #5a676b; } pre { white-space: pre-wrap; }
  @media (prefers-color-scheme: dark) { body { color: #e8e6e1; background: #14191b; } th, td { border-color: #39423f; } .note { color: #9aa5a8; } .holds { color: #6fc493; } .fails { color: #ef8f79; } }
`;
