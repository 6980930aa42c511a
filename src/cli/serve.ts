// `gossamer serve`

import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { isHubName, parseHubName } from '../data/index.js';
import { LanguageServer } from '../lm/node.js';
import { list, number } from './arguments.js';
import { type ModelFlags, modelsHelp, openLanguageModel, withModel } from './language-model.js';
import { LOOPBACK, listen, nextSignal, urlOf } from './listening.js';

interface Flags extends ModelFlags {
  readonly host: string;
  readonly port: number;
  readonly name?: string;
  readonly parallel: number;
  readonly queue: number;
  readonly context?: number;
  readonly bodyLimit: number;
  readonly apiKey?: string;
  readonly allowedHosts: readonly string[];
  readonly cors: readonly string[];
  readonly maxConnections: number;
  readonly requestTimeout: number;
  readonly writeTimeout: number;
  readonly grace: number;
  readonly quiet: boolean;
}

const examples = `
Examples
  gossamer serve qwen.gguf                                      on http://127.0.0.1:8080/v1, for OpenAI's clients
  gossamer serve hf:Qwen/Qwen3-0.6B-GGUF --memory 2G            fetched from huggingface.co, once
  GOSSAMER_API_KEY="$KEY" gossamer serve qwen.gguf --port 9000 --context 4096
  gossamer serve qwen.gguf --cors https://chat.example.org      for a page that this machine's browser shows
  curl http://127.0.0.1:8080/v1/chat/completions -H 'Content-Type: application/json' -d '{"model":"qwen","messages":[{"role":"user","content":"Hello"}],"stream":true}'

Endpoints: /v1/models, /v1/chat/completions, /v1/completions (both also as server-sent events), /v1/embeddings, /tokenize, /detokenize, /apply-template, /props, /slots, /metrics, /health. Answers made at once share their passes, and a conversation that goes on is not read again. A client that leaves ends its answer. Only this machine can reach it unless --host says otherwise, and pages of other sites only with --cors. SIGTERM or Ctrl-C lets running answers end within --grace; a second one cuts them off.`;

export function serveCommand(): Command {
  return withModel(
    new Command('serve')
      .description('serve a language model over HTTP, as OpenAI does')
      .argument('<model>', 'see below'),
  )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port; 0 takes a free one', number(0), 8080)
    .option('--name <name>', 'what clients call the model; the file’s name when left out')
    .option('--parallel <n>', 'concurrent completions', number(1), 4)
    .option('--queue <n>', 'requests in the queue; more get status 503', number(0), 64)
    .option('--context <n>', 'most tokens of a conversation; the model’s when left out', number(2))
    .option('--body-limit <bytes>', 'largest request', number(1), 2 ** 20)
    .addOption(
      new Option(
        '--api-key <key>',
        'bearer token that requests must carry; in the environment others cannot read it',
      ).env('GOSSAMER_API_KEY'),
    )
    .option('--allowed-hosts <names>', 'names, with commas, under which clients reach the server', list, [])
    .option(
      '--cors <origin>',
      'a site whose pages may ask, or * (repeatable)',
      (one, all: string[]) => [...all, one],
      [],
    )
    .option('--max-connections <n>', 'connections; for one more, the idlest is closed', number(1), 512)
    .option('--request-timeout <s>', 'seconds for a request to arrive whole', number(0.001, false), 30)
    .option('--write-timeout <s>', 'seconds that a client may read nothing', number(0.001, false), 30)
    .option('--grace <s>', 'seconds that running answers have after SIGTERM', number(0, false), 10)
    .option('--quiet', 'no line for each request', false)
    .addHelpText('after', `${examples}\n${modelsHelp}`)
    .action(serve);
}

/** Connections that the system holds until they are accepted. */
const BACKLOG = 4096;

async function serve(path: string, flags: Flags): Promise<void> {
  const bundle = await openLanguageModel(path, flags);
  const name =
    flags.name ??
    (isHubName(path) ? parseHubName(path).repository : basename(path).replace(/\.(gguf|safetensors)$/, ''));
  const { host, parallel, queue, context, bodyLimit, apiKey, cors, maxConnections } = flags;
  const language = new LanguageServer(bundle, {
    ...{ name, parallel, queue, bodyLimit, cors, maxConnections, cacheFormat: flags.cache },
    allowedHosts: [...flags.allowedHosts, host],
    requestTimeout: 1000 * flags.requestTimeout,
    headersTimeout: Math.min(10_000, 1000 * flags.requestTimeout),
    writeTimeout: 1000 * flags.writeTimeout,
    ...(context !== undefined && { context }),
    ...(apiKey !== undefined && { apiKey }),
    ...(!flags.quiet && { onRequest: (line: string) => process.stderr.write(`${line}\n`) }),
  });
  const port = await listen(language.create(), { host, port: flags.port, backlog: BACKLOG });
  if (!LOOPBACK.includes(host) && apiKey === undefined)
    process.stderr.write(`warning: everyone who reaches ${host}:${port} can use the model; set GOSSAMER_API_KEY\n`);
  process.stdout.write(`${name} on ${urlOf(host, port)}/v1 (Ctrl-C ends)\n`);
  await nextSignal();
  void nextSignal().then(() => language.close(0));
  await language.close(1000 * flags.grace);
  bundle.close();
}
