/** A body on the wire. */
export interface EncodedBody {
  readonly content: Buffer;
  readonly contentType: string;
  /** The character set, or `binary`. */
  readonly contentEncoding: string;
}

/** One format of bodies. Pure: the same body gives the same bytes. */
export interface Serializer {
  readonly name: string;
  /** In lower case, without parameters. */
  readonly contentType: string;
  readonly contentEncoding: string;
  /** @throws SerializationError when the body cannot be written in this format */
  encode(body: unknown): Buffer;
  /** @throws SerializationError when the content is not in this format */
  decode(content: Buffer): unknown;
}
