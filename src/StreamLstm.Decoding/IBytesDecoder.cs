namespace StreamLstm.Decoding;

/// <summary>Makes records of bytes that go on: sound, pictures. One stream's, on one thread; it never throws for what they are.</summary>
internal interface IBytesDecoder
{
    /// <summary>Takes the next bytes, wherever they were cut.</summary>
    void Decode(ReadOnlySpan<byte> bytes, Decoded decoded);
}
