/** The two password packages that bring no types that TypeScript can find. */
declare module 'apache-md5' {
  /**
   * @param password one character for each octet.
   * @param salt `$apr1$SALT$` or `$1$SALT$`.
   * @returns the whole hash.
   */
  function apacheMd5(password: string, salt: string): string;
  export = apacheMd5;
}

declare module 'apache-crypt' {
  /**
   * @param password one character for each octet; the ninth and later ones do not matter.
   * @param salt two characters.
   * @returns the whole hash, 13 characters.
   */
  function desCrypt(password: string, salt: string): string;
  export = desCrypt;
}
