// Reads rules by the native tables: names, parameters and their limits are stated once, in native/rules/. A rule is a
// name, or an object { kind: name, ...parameters }.
import { native } from '../loader';
import type { NativeMetricInfo, NativeModule, NativeRule, NativeRuleInfo } from '../native';
import { describe, listOf, optionError, readName, readNumber, readOptions, suggest, typeError } from '../options';

export type RuleKind = keyof ReturnType<NativeModule['rules']>;

/**
 * The choices that a table of rules gives in TypeScript: its keys are names, its values the rules' parameters. A rule may be
 * chosen by name, with the parameters' defaults, or as { kind, ...parameters }.
 */
export type Choice<Table> = {
  [Name in keyof Table]:
    | Name
    | ({
        /** The rule's name. */
        readonly kind: Name;
      } & Readonly<Table[Name]>);
}[keyof Table];

/** For rules without parameters. */
export type NoParameters = Record<never, never>;

const singular: Record<RuleKind, string> = {
  activations: 'activation',
  losses: 'loss',
  optimizers: 'optimizer',
  prune: 'prune rule',
  grow: 'grow rule',
  schedules: 'schedule',
  triggers: 'trigger',
  initializers: 'initializer',
  metrics: 'metric',
};

let tables: ReturnType<NativeModule['rules']> | undefined;

function readTables(): ReturnType<NativeModule['rules']> {
  tables ??= native().rules();
  return tables;
}

function table(kind: RuleKind): readonly NativeRuleInfo[] {
  return readTables()[kind];
}

/** The metrics with what they need. */
export function metricTable(): readonly NativeMetricInfo[] {
  return readTables().metrics;
}

/** The names of a table that users may say, in its order: one with a dot is a variant that an option chooses. */
export function ruleNames(kind: RuleKind): string[] {
  return table(kind)
    .map((rule) => rule.name)
    .filter((name) => !name.includes('.'));
}

function findRule(kind: RuleKind, name: unknown, where: string): NativeRuleInfo {
  const names = ruleNames(kind);
  if (typeof name !== 'string') {
    throw typeError(
      `${where} must be the name of ${/^[aeiou]/.test(singular[kind]) ? 'an' : 'a'} ${singular[kind]} (${listOf(names)}) or { kind: name, ... }, not ${describe(name)}`,
    );
  }
  const rule = names.includes(name) ? table(kind).find((candidate) => candidate.name === name) : undefined;
  if (rule !== undefined) return rule;
  throw optionError(
    `${where}: there is no ${singular[kind]} ${describe(name)}.${suggest(name, names)} There is ${listOf(names)}.`,
  );
}

export interface ReadRule {
  rule: NativeRule;
  /** The options named in `others`, as they were given. */
  others: Record<string, unknown>;
}

/**
 * Reads a rule with all of its parameters. `others` names options that the object may have beside the rule's parameters
 * and that the caller reads; `required` parameters have no default here.
 */
export function readRule(
  kind: RuleKind,
  value: unknown,
  where: string,
  { others = [], required = [] }: { others?: readonly string[]; required?: readonly string[] } = {},
): ReadRule {
  const isName = typeof value === 'string';
  const name = isName ? value : (value as { kind?: unknown } | null | undefined)?.kind;
  if (!isName && (typeof value !== 'object' || value === null)) findRule(kind, value, where);
  const info = findRule(kind, name, isName ? where : `${where}.kind`);
  const names = info.parameters.map((parameter) => parameter.name);
  const options: Record<string, unknown> = isName ? {} : readOptions(value, where, ['kind', ...names, ...others]);
  const parameters: Record<string, number> = {};
  for (const parameter of info.parameters) {
    const given = options[parameter.name];
    if (given === undefined && required.includes(parameter.name)) {
      throw optionError(`${where}.${parameter.name} is missing`);
    }
    parameters[parameter.name] =
      given === undefined ? parameter.fallback : readParameter(given, parameter, `${where}.${parameter.name}`);
  }
  const rest: Record<string, unknown> = {};
  for (const other of others) if (options[other] !== undefined) rest[other] = options[other];
  return { rule: { name: info.name, parameters }, others: rest };
}

function readParameter(value: unknown, spec: NativeRuleInfo['parameters'][number], where: string): number {
  if (spec.choices !== undefined) {
    const names = spec.choices.split('|');
    return names.indexOf(readName(value, where, names));
  }
  // A switch is a parameter of 0 or 1 in native code.
  if (typeof value === 'boolean' && spec.minimum === 0 && spec.maximum === 1) return Number(value);
  return readNumber(value, where, {
    min: spec.minimum,
    max: spec.maximum,
    open: spec.open,
    openMaximum: spec.openMaximum,
  });
}

/** A native rule of this kind as users write it. */
export function ruleObject(kind: RuleKind, rule: NativeRule): { kind: string; [parameter: string]: string | number } {
  const made: { kind: string; [parameter: string]: string | number } = { kind: rule.name, ...rule.parameters };
  for (const { name, choices } of findRule(kind, rule.name.split('.')[0], kind).parameters) {
    const value = rule.parameters[name];
    if (choices !== undefined && value !== undefined) made[name] = choices.split('|')[value] as string;
  }
  return made;
}
