// Every name that the package exports, and every public member of what it exports, says what it is.
//
//   node scripts/check-docstrings.mjs
import { join } from 'node:path';
import ts from 'typescript';
import { Failure, isMain, root, runMain } from './lib/util.mjs';

const entry = join(root, 'lib/index.ts');

function program() {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return ts.createProgram([entry], { ...options, noEmit: true });
}

/** Whether users can see this member and somebody has to describe it. */
function isPublic(member) {
  if (member.name !== undefined && (ts.isPrivateIdentifier(member.name) || /^kind$/.test(member.name.getText())))
    return false;
  const flags = ts.getCombinedModifierFlags(member);
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) return false;
  // What may not be given needs no words.
  if (member.type?.kind === ts.SyntaxKind.NeverKeyword) return false;
  return !ts.isConstructorDeclaration(member) && !ts.isClassStaticBlockDeclaration(member);
}

function undocumented() {
  const made = program();
  const checker = made.getTypeChecker();
  const missing = [];
  const isDescribed = (symbol) => symbol.getDocumentationComment(checker).length > 0;
  const module = checker.getSymbolAtLocation(made.getSourceFile(entry));
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const declarations = symbol.getDeclarations() ?? [];
    if (!isDescribed(symbol)) missing.push(exported.name);
    for (const declaration of declarations) {
      if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) continue;
      for (const member of declaration.members) {
        const own = member.name === undefined ? undefined : checker.getSymbolAtLocation(member.name);
        if (own === undefined || !isPublic(member) || isDescribed(own)) continue;
        missing.push(`${exported.name}.${own.name}`);
      }
    }
  }
  return [...new Set(missing)];
}

export function checkDocstrings() {
  const missing = undocumented();
  if (missing.length > 0) throw new Failure(`without a docstring: ${missing.join(', ')}`);
}

if (isMain(import.meta.url)) {
  runMain(() => {
    checkDocstrings();
    console.log('docstrings: every exported name and member has one');
  });
}
