#!/usr/bin/env node
// Only Node's own modules up here: an older Node must get far enough to say what it lacks.
import process from 'node:process';

const LEAST_NODE = 26;

// Whoever reads us may have had enough (`sallyport --help | head`), which is no error of ours. A sidecar whose log nobody
// takes any more goes on as well: traffic matters more.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const [major = '0'] = process.versions.node.split('.');
if (Number(major) < LEAST_NODE) {
  process.stderr.write(
    `Sallyport needs Node ${LEAST_NODE} or newer, and this is Node ${process.versions.node} (${process.execPath}). ` +
      'npm ci brings the right one: run it through npm (npm start, npx sallyport).\n',
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./program.ts');
  process.exitCode = await main(process.argv.slice(2), process.env);
}
