import { styleText } from 'node:util';

export type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** How the terminal at hand is written to. */
export interface Paint {
  colour(colour: Colour, text: string): string;
  /** Stands for what was cut off. */
  readonly ellipsis: string;
  readonly dot: string;
}

/** `unicode` false: ASCII only. Colour never carries a meaning that no word carries. */
export function paint({ colours, unicode }: { colours: boolean; unicode: boolean }): Paint {
  return {
    colour: (colour, text) => (colours ? styleText(colour, text, { validateStream: false }) : text),
    ellipsis: unicode ? '…' : '~',
    dot: unicode ? '●' : '*',
  };
}

/** The same choice from a stream and the environment: NO_COLOR and TERM=dumb through Node, UTF-8 from the locale. */
export function paintFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Paint {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return paint({ colours: stream.isTTY && stream.hasColors(env), unicode: /utf-?8/i.test(locale) });
}
