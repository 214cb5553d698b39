import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogFile } from '../services/log-file.ts';
import { MeshLogs } from './mesh-logs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-logs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');

test("no service's name takes a file of the mesh", () => {
  const logs = new MeshLogs(folder);
  logs.mesh.write('{"message":"ours"}');
  logs.audit({ serial: '01' });
  for (const name of ['sallyport', 'audit', 'services']) logs.service(name, `I am ${name}`, 'stdout');
  logs.close();
  expect(read('sallyport.log')).toBe('{"message":"ours"}\n');
  expect(read('audit.log')).toBe('{"serial":"01"}\n');
  expect(readdirSync(join(folder, 'services')).toSorted()).toEqual([
    'audit.log',
    'sallyport.log',
    'services.log',
  ]);
  expect(read('services', 'sallyport.log')).toMatch(/ stdout I am sallyport\n$/);
  expect(statSync(join(folder, 'audit.log')).mode & 0o777).toBe(0o600);
});

test('records of certificates outlive other lines and other runs', () => {
  for (let run = 0; run < 3; run += 1) {
    const logs = new MeshLogs(folder);
    logs.audit({ run });
    const line = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 25; count += 1) logs.mesh.write(line);
    logs.close();
  }
  expect(read('audit.log')).toBe('{"run":0}\n{"run":1}\n{"run":2}\n');
  expect(readdirSync(folder).toSorted()).toEqual(['audit.log', 'sallyport.log', 'sallyport.log.1']);
});

test('a record that cannot be kept is told; a line for reading is not', () => {
  const full = new LogFile({ path: join(folder, 'a.log'), mostBytes: 100 });
  full.close();
  expect(() => full.record('a certificate')).toThrow('a.log is closed');
  expect(() => full.write('a line')).not.toThrow();
  symlinkSync('/dev/full', join(folder, 'b.log'));
  const disk = new LogFile({ path: join(folder, 'b.log'), mostBytes: 100, goOn: true });
  expect(() => disk.record('a certificate')).toThrow('ENOSPC');
  expect(() => disk.write('a line')).not.toThrow();
  disk.close();
});

test('a file that goes on counts what it has: neither part outgrows its room, in bytes', () => {
  const path = join(folder, 'c.log');
  for (let count = 0; count < 20; count += 1) {
    const file = new LogFile({ path, mostBytes: 50, goOn: true });
    file.record('läuft');
    file.close();
  }
  expect(statSync(path).size).toBeLessThanOrEqual(50);
  expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(50);
  expect(statSync(`${path}.1`).size).toBeGreaterThan(40);
});
