import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { commandInFolder, main } from './command.js';
import { runShell } from './document.js';

const { folder, gossamer } = commandInFolder('grank');
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const items = `id,title,artist,tags,year
10,Slow Tides,Ana Pol,ambient;drone,2001
9,"Ambient, Works",Bo,idm,1999
3,Loud,Cy,punk,2010
2,Quiet,,AMBIENT|slow,2020
`;
write('items.csv', items);
write(
  'clicks.csv',
  `node,sequence,query,item
me,1,Punk,3
me,2,slow,2
twin,1,punk,3
twin,2,slow,2
twin,3,ambient,9
other,1,ambient,10
other,2,ambient,3
other,3,drone,10
`,
);

describe.skipIf(!existsSync(main))('gossamer rank of items (needs a build)', () => {
  test('lists what matches, then what was clicked, by clicks and similarity', () => {
    const { stdout, stderr, status } = gossamer(
      ...['rank', 'items.csv', '--query', 'Ambient!', '--query', 'ana tides', '--clicks', 'clicks.csv', '--node', 'me'],
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    // S(me, me) = (2 + 4) / 2; S(me, twin) = (2 + 4) / 3, so Ŝ = 2/3; other shares no term: 0.
    expect(stdout).toBe(`query,rank,item,score,matches,title
Ambient!,1,9,1.66666666667,1,"Ambient, Works · Bo"
Ambient!,2,10,1,1,Slow Tides · Ana Pol
Ambient!,3,2,0,1,Quiet
Ambient!,4,3,1,0,Loud · Cy
ana tides,1,10,0,1,Slow Tides · Ana Pol
`);
  });

  test('F, the form of similarity, the number of items and the file are taken from flags', () => {
    const scores = (...flags: string[]) => {
      const own = ['--query', 'ambient', '--clicks', 'clicks.csv', '--node', 'me', '--top', '2'];
      const { stdout } = gossamer('rank', 'items.csv', ...own, ...flags);
      return stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',').slice(2, 4).join(' '));
    };
    expect(scores('--isolation', '0')).toEqual(['9 0.666666666667', '2 0']);
    // (κₘ + κₜ²) / κᵤ is (2 + 4) / 3 too.
    expect(scores('--similarity', 'notebook')).toEqual(['9 1.66666666667', '10 1']);
    write('items.tsv', items.replaceAll(',', '\t').replace('"Ambient\t Works"', 'Ambient Works'));
    writeFileSync(join(folder, 'items.tsv.gz'), gzipSync(readFileSync(join(folder, 'items.tsv'))));
    expect(gossamer('rank', 'items.tsv.gz', '--query', 'drone', '-o', 'out.csv')).toMatchObject({
      stdout: '',
      status: 0,
    });
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe(
      'query,rank,item,score,matches,title\ndrone,1,10,0,1,Slow Tides · Ana Pol\n',
    );
  });

  test('what is wrong is named', () => {
    const fails = (...args: string[]) => {
      const { status, stderr } = gossamer('rank', ...args);
      expect(status).toBe(2);
      return stderr;
    };
    const query = ['--query', 'ambient'];
    expect(fails('items.csv', ...query, '--clicks', 'clicks.csv', '--node', 'mee')).toContain(
      'the node "mee" has clicked nothing in "clicks.csv"; nodes: me, twin, other; leave --node out',
    );
    expect(fails('items.csv', ...query, '--node', 'me')).toContain('--clicks is missing');
    expect(fails('items.csv', '--clicks', 'clicks.csv')).toContain('--clicks needs a --query');
    expect(fails('items.csv', ...query, '--walks', '5')).toContain('--walks is for edges');
    expect(fails('clicks.csv', ...query)).toContain('"clicks.csv": no column "id"; the table has "node"');
    expect(fails('items.csv', ...query, '--clicks', 'items.csv')).toContain('"items.csv": no column "node"');
    write('twice.csv', `${items}3,Again,Cy,punk,2011\n`);
    expect(fails('twice.csv', ...query)).toContain('"twice.csv": two items have the identifier "3"');
    write('gap.csv', `${items},Nameless,Cy,punk,2011\n`);
    expect(fails('gap.csv', ...query)).toContain('the id is missing in row 5');
    write('again.csv', 'node,sequence,query,item\na,1,x,3\na,1,y,3\n');
    expect(fails('items.csv', ...query, '--clicks', 'again.csv')).toContain('row 2 is another click 1 of the node "a"');
    write('half.csv', 'node,sequence,query,item\na,1.5,x,3\n');
    expect(fails('items.csv', ...query, '--clicks', 'half.csv')).toContain('the sequence in row 1 is "1.5"');
  });

  test('the commands of its page run', () => {
    const { status, stdout, stderr } = runShell('systems/grank.md', '## On your own data');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('ambient,1,2,');
  });
});
