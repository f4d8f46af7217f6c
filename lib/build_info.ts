// What a bug report needs.
import { binaryPath, defaultThreads, native } from './loader';

/** How the native part was built, and what of it is in use. */
export interface BuildInfo {
  /** Of setnet. */
  readonly version: string;
  /** The native binary that was loaded. */
  readonly binary: string;
  /** The compiler and its version. */
  readonly compiler: string;
  /** Version of Node-API it was built for. */
  readonly napi: number;
  /** As `process.platform`. */
  readonly platform: string;
  /** As `process.arch`. */
  readonly architecture: string;
  /** The instruction set whose kernels are in use; SETNET_FORCE_ISA in the environment forces another available one. */
  readonly instructionSet: string;
  /** All that are compiled in, best first, and whether this processor has them. */
  readonly instructionSets: readonly {
    /** As `SETNET_FORCE_ISA` takes it. */
    readonly name: string;
    /** Whether this processor has it. */
    readonly available: boolean;
  }[];
  /** Threads used where nobody says otherwise (SETNET_THREADS, else what the system offers). */
  readonly threads: number;
  /** Version of Node.js. */
  readonly node: string;
}

/**
 * How the native part was built, and what of it is in use.
 *
 * Errors: `ERR_SETNET_LOAD`.
 */
export function buildInfo(): BuildInfo {
  const { version, compiler, napi, platform, architecture, instructionSet, instructionSets } = native().buildInfo();
  return {
    version,
    binary: binaryPath(),
    compiler,
    napi,
    platform,
    architecture,
    instructionSet,
    instructionSets,
    threads: defaultThreads(),
    node: process.version,
  };
}
