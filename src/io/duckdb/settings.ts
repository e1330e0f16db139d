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
 * What a stream may hold ready before it waits for its reader. DuckDB's own 1 MB is a few chunks, which keeps all its threads
 * but one idle: rows come in twice the time.
 */
export const READY = `SET streaming_buffer_size = '${32 * 2 ** 20}B'`;

/** Texts of at most this many bytes lie within their row's sixteen. */
export const INLINE_BYTES = 12;
