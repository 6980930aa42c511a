import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-recommend-'));
const gossamer = commandIn(folder);

/** Twenty friends of tea and twenty of coffee, by name. */
const rows = Array.from({ length: 40 }, (_, user) =>
  Array.from(
    { length: 5 },
    (_, at) => `user ${user},${user % 2 ? 'tea' : 'coffee'} ${(user + at * at) % 11},${1 + (at % 5)}`,
  ),
).flat();
writeFileSync(join(folder, 'ratings.csv'), `user,item,rating\n${rows.join('\n')}\n`);
writeFileSync(join(folder, 'new.csv'), 'user,item\nzoë,tea 1\nzoë,tea 2\nzoë,mate\n');
const small = ['--set', 'epochs=8', '--set', 'k=5', '--seed', '1'];
const read = (file: string) =>
  readFileSync(join(folder, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));

describe.skipIf(!existsSync(main))('recommendation (needs a build)', () => {
  test('a table is fitted sparsely, users are answered without what they have, new ones are said to be', () => {
    const fitted = gossamer(
      ...[
        'fit',
        'ratings.csv',
        '--task',
        'recommend',
        '--density',
        '0.3',
        '--set',
        'dim=16',
        '--set',
        'batch=64',
        ...small,
      ],
      ...['--set', 'compare=dense', '-o', 'rec.safetensors'],
    );
    expect(fitted).toMatchObject({ status: 0 });
    expect(fitted.stdout).toMatch(/^ratings.csv: 40 users, 22 items, 200 interactions$/m);
    for (const title of ['lightgcn, density 0.3', 'popularity', 'nearest items', 'the dense model'])
      expect(fitted.stdout).toMatch(new RegExp(`^  ${title}: recall@5 \\d\\.\\d+, NDCG@5 `, 'm'));
    expect(fitted.stdout).toMatch(/298 of 992 weights are stored/);

    const asked = gossamer(
      'predict',
      'rec.safetensors',
      '--users',
      'user 1,user 2,nobody',
      '--top',
      '3',
      '-o',
      'top.csv',
    );
    expect(asked).toMatchObject({ status: 0 });
    expect(asked.stderr).toContain('1 users are not known to the model and get what is popular: nobody');
    const top = read('top.csv');
    expect(top.map(([user, rank]) => `${user} ${rank}`)).toEqual([
      'user rank',
      ...['user 1', 'user 2', 'nobody'].flatMap((user) => [1, 2, 3].map((rank) => `${user} ${rank}`)),
    ]);
    const seen = new Set(rows.map((row) => row.split(',').slice(0, 2).join()));
    expect(top.filter(([user, , item]) => seen.has(`${user},${item}`))).toEqual([]);
    expect(top.filter(([user]) => user === 'user 1').every(([, , item]) => item?.startsWith('tea'))).toBe(true);
    expect(new Set(top.slice(1).map(([user, , , , by]) => `${user} ${by}`))).toEqual(
      new Set(['user 1 model', 'user 2 model', 'nobody popularity']),
    );

    const fresh = gossamer('predict', 'rec.safetensors', '--history', 'new.csv', '--top', '2', '-o', 'fresh.csv');
    expect(fresh.stderr).toContain('holds 1 items that "rec.safetensors" does not know, and they are ignored: mate');
    const lists = read('fresh.csv').slice(1);
    expect(lists.map(([user, , , , by]) => [user, by])).toEqual([
      ['zoë', 'history'],
      ['zoë', 'history'],
    ]);
    expect(lists.every(([, , item]) => item?.startsWith('tea') && item !== 'tea 1' && item !== 'tea 2')).toBe(true);

    const info = gossamer('info', 'rec.safetensors').stdout;
    expect(info).toContain('Recommends items to users by LightGCN (dim 16, layers 3, density 0.3)');
    expect(info).toContain('Weights     298 of 992 are stored (30.0 %)');
  });

  test.each([
    ['dsl', ['dim=8', 'batch=64'], '50 of 496'],
    ['multvae', ['hidden=12', 'latent=4', 'density=0.5'], 'weights are stored'],
    ['neumf', ['dim=4', 'batch=64'], 'weights are stored'],
    ['bpr', ['dim=8', 'batch=64'], '496 of 496'],
    ['item-knn', [], 'item-knn: recall@5'],
    ['popularity', [], 'popularity: recall@5'],
  ] as const)('%s answers, too', (model, set, said) => {
    const flags = [...(model === 'item-knn' || model === 'popularity' ? [] : ['epochs=2']), ...set].flatMap((own) => [
      '--set',
      own,
    ]);
    const fitted = gossamer(
      'fit',
      'ratings.csv',
      '--model',
      model,
      '--set',
      'k=5',
      ...flags,
      '-o',
      `${model}.safetensors`,
    );
    expect(fitted).toMatchObject({ status: 0 });
    expect(fitted.stdout).toContain(said);
    const { stdout, status } = gossamer('predict', `${model}.safetensors`, '--users', 'user 4', '--top', '2');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(3);
  });

  test('ratings below the least are no interactions', () => {
    const { stdout, stderr } = gossamer(
      'fit',
      'ratings.csv',
      '--model',
      'popularity',
      '--set',
      'least=3',
      '-o',
      'least.safetensors',
    );
    expect(stderr).toContain('80 rows are no interactions: their rating is below 3');
    expect(stdout).toContain('120 interactions');
  });

  test('a user may be called NA or have every item, and a list may be longer than the catalogue', () => {
    const all = Array.from({ length: 11 }, (_, at) => [`NA,item ${at}`, ...(at < 3 ? [`null,item ${at}`] : [])]).flat();
    writeFileSync(join(folder, 'all.csv'), `user,item\n${all.join('\n')}\n`);
    writeFileSync(join(folder, 'users.csv'), 'user\nNA\nnull\n007\n');
    gossamer('fit', 'all.csv', '--model', 'popularity', '-o', 'all.safetensors');
    const { stdout, stderr, status } = gossamer('predict', 'all.safetensors', 'users.csv', '--top', '1000000000000');
    expect({ status, stderr }).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('1 users have all 11 items'),
    });
    const users = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[0]);
    expect(users).toEqual([...Array<string>(8).fill('null'), ...Array<string>(11).fill('007')]);
  });

  test('after Ctrl-C it goes on with the same table and options alone, to the same bytes', async () => {
    const options = ['--model', 'bpr', '--set', 'dim=8', '--set', 'epochs=150', '--set', 'k=5'];
    const child = spawn(process.execPath, [main, 'fit', 'ratings.csv', ...options, '-o', 'cut.safetensors'], {
      cwd: folder,
    });
    child.stderr.on('data', (text) => /epoch/.test(String(text)) && child.kill('SIGINT'));
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(130);
    const resumed = (table: string, ...more: string[]) =>
      gossamer('fit', table, ...options, ...more, '--resume', '-o', 'cut.safetensors');
    expect(resumed('ratings.csv', '--set', 'learningRate=0.5').stderr).toContain('is of another learningRate');
    const [head, ...lines] = readFileSync(join(folder, 'ratings.csv'), 'utf8').trim().split('\n');
    writeFileSync(join(folder, 'other.csv'), `${[head, ...lines.reverse()].join('\n')}\n`);
    expect(resumed('other.csv')).toMatchObject({ status: 2, stderr: expect.stringContaining('is of another table') });
    expect(resumed('ratings.csv')).toMatchObject({ status: 0 });
    expect(gossamer('fit', 'ratings.csv', ...options, '-o', 'uncut.safetensors').status).toBe(0);
    expect(readFileSync(join(folder, 'cut.safetensors'))).toEqual(readFileSync(join(folder, 'uncut.safetensors')));
    expect(gossamer('fit', 'ratings.csv', ...options, '-o', 'ratings.csv/x.safetensors').stderr).toContain(
      'a part of its path is a file',
    );
  });

  test('what makes no sense is refused', () => {
    const refused = (...args: string[]) => gossamer(...args).stderr;
    expect(refused('fit', 'ratings.csv', '--task', 'recommend', '--density', '2')).toContain('at most 1');
    expect(refused('fit', 'ratings.csv', '--target', 'rating', '--density', '0.1')).toContain(
      '--density is for recommenders',
    );
    expect(refused('fit', 'ratings.csv', '--model', 'popularity', '--density', '0.1')).toContain('stores no weights');
    writeFileSync(join(folder, 'who.csv'), 'who,what\na,b\n');
    expect(refused('fit', 'who.csv', '--task', 'recommend')).toContain('has no column for the user and the item');
    writeFileSync(join(folder, 'lonely.csv'), 'user,item\na,b\nc,d\n');
    expect(refused('fit', 'lonely.csv', '--task', 'recommend')).toContain('no user has two interactions');
    expect(refused('predict', 'rec.safetensors', 'ratings.csv', '--users', 'user 1')).toContain('not by both');
  });
});
