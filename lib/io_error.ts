// What the system refuses, in words.
import { SetnetError } from './errors';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'the file or device is busy',
  EEXIST: 'the file exists already',
  EFBIG: 'the file would be larger than the system allows',
  EIO: 'input/output error of the device',
  EISDIR: 'it is a folder',
  ELOOP: 'too many symbolic links',
  EMFILE: 'this process has too many files open',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'the system has too many files open',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ETXTBSY: 'it is a program that is running',
};

/** Why the system refused something: 'no such file or folder (ENOENT)'; of any other error its message. */
export function systemReason({ code, message }: NodeJS.ErrnoException): string {
  return code === undefined ? message : `${reasons[code] ?? message} (${code})`;
}

/** What the system refused, in the words that saving and loading a network use. */
export function ioError(path: string, doing: string, cause: unknown): SetnetError {
  const reason = systemReason(cause as NodeJS.ErrnoException);
  return new SetnetError('ERR_SETNET_IO', `cannot ${doing} '${path}': ${reason}`, { cause });
}
