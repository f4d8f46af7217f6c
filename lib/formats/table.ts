// What reading a data file gives, and what may be said about it.
import type { CsrMatrix } from '../csr_matrix';
import type { AbortSignalLike, FeatureMatrix, FileUrl } from '../types';
import type { ReadProgress } from './source';

/** The kinds of data files. */
export type TableFormat = 'csv' | 'npy' | 'npz' | 'idx' | 'svmlight';

/** Options of {@link readTable}. */
export interface ReadTableOptions {
  /**
   * What the file is. Default: by its first bytes (NPY, NPZ, IDX), by its name (.csv, .tsv, .svm, .svmlight, .libsvm), else by
   * its first line.
   */
  readonly format?: TableFormat;
  /**
   * CSV: the column of the labels, by name or by number from 0 (from the end where it is negative). Other formats: false leaves
   * labels away that the file has, or that lie beside it. Default: a CSV has no labels.
   */
  readonly label?: string | number | false;
  /**
   * A file with a label for each row: NPY, IDX, or a text with one a line (CSV of one column). Default: for IDX the file beside
   * it that has 'labels' in its name where this has 'images'.
   */
  readonly labels?: string | FileUrl;
  /**
   * 'class' (default): labels become numbers of classes. 'number': they are numbers to predict (regression), kept as f32.
   */
  readonly target?: 'class' | 'number';
  /**
   * The classes in their order, as a network has them: a label that is not among them is an error. Integers number them where
   * no class is named by an integer. Default: the labels that occur, ordered by value where all are integers, else as texts.
   */
  readonly classes?: readonly string[];
  /**
   * CSV: the columns that are the features, by name, in this order (a network's); other columns of the file are not read, and
   * one that is missing is an error. A file without header, and other formats, must have as many columns.
   */
  readonly features?: readonly string[];
  /** CSV: columns that are no features, by name or by number from 0 (from the end where it is negative). */
  readonly ignore?: readonly (string | number)[];
  /** How many features a row must have. SVMlight: default the largest index that occurs. */
  readonly inputs?: number;
  /**
   * CSV: whether the first row has the names of the columns. Default: it has where it says the name given as `label` or names
   * given as `features`, where it has a text over a number of the second row, where it is 0, 1, 2, 3 and so on, or where it is the
   * only row and has no number.
   */
  readonly header?: boolean;
  /**
   * CSV: one character; several spaces count as one. Default: the one of tab, ';', '|' and ',' that stands in the first lines equally
   * often, or a space where there is none of them.
   */
  readonly delimiter?: string;
  /**
   * CSV: the number (or NaN) that unknown features become: cells that are empty, NA, N/A, NaN, null or ?. Give the network the
   * same `missing`. Default: such a cell is an error. Other formats keep their numbers as they are.
   */
  readonly missing?: number;
  /** SVMlight: what the first feature is called. Default: 0 where the index 0 occurs, else 1. */
  readonly firstIndex?: 0 | 1;
  /** Ends the reading: it rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
  /** Called while the file is read, at most fifty times a second, and at its end. */
  readonly onProgress?: (progress: ReadProgress) => void;
}

/** The content of a data file, as {@link Network.fit} and its relatives take it. */
export interface Table {
  /**
   * The features. Dense ones in the type of the file where a network takes that, else as f32; those of a CSV in the smallest of
   * u8, u16, i8, i16 and f32 that holds them exactly as f32. Sparse formats give a CsrMatrix.
   */
  readonly x: FeatureMatrix | CsrMatrix;
  /** Samples. */
  readonly rows: number;
  /** Features of a sample. */
  readonly inputs: number;
  /** A class number, or with `target: 'number'` a number, for each row; absent where there are no labels. */
  readonly y?: Int32Array | Float32Array;
  /** The classes that the class numbers stand for. */
  readonly classes?: readonly string[];
  /** The names of the features, where the file or the option `features` has some. */
  readonly features?: readonly string[];
  /** What the file was. */
  readonly format: TableFormat;
}
