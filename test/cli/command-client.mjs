// A command of a shell script: node command-client.mjs SOCKET ARGUMENTS…

import { connect } from 'node:net';

const [, , path, ...args] = process.argv;
const socket = connect(path);
socket.end(JSON.stringify({ args, folder: process.cwd() }));
let text = '';
for await (const part of socket.setEncoding('utf8')) text += part;
const { status, stdout, stderr } = JSON.parse(text);
process.stderr.write(stderr);
process.stdout.write(stdout);
process.exitCode = status;
