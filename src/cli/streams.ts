// What becomes of standard output and standard error. Loads nothing: every command starts here.

/**
 * Ends the process quietly when the reader of its output has enough, as `head` does after its
 * lines; any other failure of standard output is an error.
 */
export function endWithReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      console.error(`gossamer: ${outputError(error) ?? error.message}`);
      process.exit(2);
    });
}

/** What an error of writing to standard output means, undefined for other errors. */
export function outputError({ code, syscall, message }: NodeJS.ErrnoException): string | undefined {
  if (syscall !== 'write') return undefined;
  return `standard output cannot be written: ${code === 'ENOSPC' ? 'there is no space left on the device' : message}`;
}
