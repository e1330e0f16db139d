// What every database of ours is told, by DuckDB's binding or its C interface.

/**
 * Settings of a database. Extensions are never fetched, and nothing is spilled to disk unless a folder is named for it.
 */
export const SETTINGS = {
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
  temp_directory: "",
};

/** Times with a zone are written in UTC, whatever the machine's own. */
export const TIME_ZONE = "SET GLOBAL TimeZone = 'UTC'";

/**
 * Bytes that a stream may hold ready before it waits for its reader: enough for rows that come in small parts. DuckDB's own 1 MB is a few
 * chunks, which keeps all its threads but one idle.
 */
export const READY_BYTES = 4 * 2 ** 20;

export const holdReady = (bytes: number): string => `SET streaming_buffer_size = '${bytes}B'`;

/** Texts of at most this many bytes lie within their row's sixteen. */
export const INLINE_BYTES = 12;
