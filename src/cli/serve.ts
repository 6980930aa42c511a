// `gossamer serve`

import { basename } from 'node:path';
import { Command } from 'commander';
import { LanguageServer } from '../lm/node.js';
import { number } from './arguments.js';
import { type ModelFlags, modelsHelp, openLanguageModel, withModel } from './language-model.js';

interface Flags extends ModelFlags {
  readonly host: string;
  readonly port: number;
  readonly name?: string;
  readonly parallel: number;
  readonly queue: number;
  readonly context?: number;
  readonly bodyLimit: number;
  readonly apiKey?: string;
  readonly quiet: boolean;
}

const examples = `
Examples
  gossamer serve qwen.gguf                                      on http://127.0.0.1:8080/v1, for OpenAI's clients
  gossamer serve qwen.gguf --port 9000 --context 4096 --api-key "$KEY"
  curl http://127.0.0.1:8080/v1/chat/completions -H 'Content-Type: application/json' -d '{"model":"qwen","messages":[{"role":"user","content":"Hello"}],"stream":true}'

Endpoints: /v1/models, /v1/chat/completions, /v1/completions (both also as server-sent events), /v1/embeddings, /tokenize, /detokenize, /apply-template, /props, /slots, /metrics, /health. Answers made at once share their passes, and a conversation that goes on is not read again. A client that leaves ends its answer. Only this machine can reach it unless --host says otherwise.`;

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
    .option('--api-key <key>', 'bearer token that requests must carry')
    .option('--quiet', 'no line for each request', false)
    .addHelpText('after', `${examples}\n${modelsHelp}`)
    .action(serve);
}

async function serve(path: string, flags: Flags): Promise<void> {
  const bundle = await openLanguageModel(path, flags);
  const name = flags.name ?? basename(path).replace(/\.(gguf|safetensors)$/, '');
  const { parallel, queue, context, bodyLimit, apiKey } = flags;
  const server = new LanguageServer(bundle, {
    ...{ name, parallel, queue, bodyLimit, cacheFormat: flags.cache },
    ...(context !== undefined && { context }),
    ...(apiKey !== undefined && { apiKey }),
    ...(!flags.quiet && { onRequest: (line: string) => process.stderr.write(`${line}\n`) }),
  }).create();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' ? new Error(`port ${flags.port} is taken; choose another with --port`) : error,
      ),
    );
    server.listen(flags.port, flags.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : flags.port;
  process.stdout.write(`${name} on http://${flags.host}:${port}/v1 (Ctrl-C ends)\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  server.close();
  server.closeAllConnections();
}
