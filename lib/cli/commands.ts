// The subcommands, in the order of the help.
import type { Command } from './command';
import { compare } from './compare';
import { doctor } from './doctor';
import { evaluate } from './evaluate';
import { inspect } from './inspect';
import { predict } from './predict';
import { report } from './report';
import { train } from './train';

export const commands: readonly Command[] = [train, predict, evaluate, inspect, report, compare, doctor];
