/** The OTEL_* variables: all of the environment that telemetry may see. */
export function otelEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const given = Object.entries(env).filter(([name]) => name.startsWith('OTEL_'));
  return Object.fromEntries(given.map(([name, value]) => [name, value ?? '']));
}
