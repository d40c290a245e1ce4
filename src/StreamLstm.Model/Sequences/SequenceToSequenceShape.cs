namespace StreamLstm.Model.Sequences;

/// <summary>The sizes of an encoder and a decoder.</summary>
public sealed record SequenceToSequenceShape
{
    /// <summary>A shape.</summary>
    /// <param name="sourceTokens">Kinds of tokens that are read, 1 to 1024.</param>
    /// <param name="targetTokens">Kinds of tokens that are written, 1 to 1023; the end is one more.</param>
    /// <param name="hiddenSize">H: cells of one layer of either, 1 to 1024.</param>
    /// <param name="layerCount">L: layers of either, 1 to 8.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is outside its range.</exception>
    public SequenceToSequenceShape(int sourceTokens, int targetTokens, int hiddenSize, int layerCount = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(targetTokens, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(targetTokens, 1023);
        SourceTokens = sourceTokens;
        TargetTokens = targetTokens;

        // Of the encoder only h and c are read; a network has one output at least.
        Encoder = new LstmShape(sourceTokens, hiddenSize, layerCount, outputSize: 1);
        Decoder = new LstmShape(targetTokens + 1, hiddenSize, layerCount, targetTokens + 1);
    }

    /// <summary>Kinds of tokens that are read.</summary>
    public int SourceTokens { get; }

    /// <summary>Kinds of tokens that are written.</summary>
    public int TargetTokens { get; }

    /// <summary>The encoder's sizes: input one-hot over the source's tokens; its output is not used.</summary>
    public LstmShape Encoder { get; }

    /// <summary>The decoder's sizes: input one-hot over the target's tokens and the start, output over the tokens and the end.</summary>
    public LstmShape Decoder { get; }

    /// <summary>The number of the start as input, and of the end as output.</summary>
    internal int Boundary => TargetTokens;
}

/// <summary>One sequence and what it is to become.</summary>
/// <param name="Source">Tokens that are read, each from 0 to the shape's source tokens less one; one at least.</param>
/// <param name="Target">Tokens that are to be written, without start and end.</param>
public sealed record SequencePair(IReadOnlyList<int> Source, IReadOnlyList<int> Target);

/// <summary>What was written.</summary>
/// <param name="Tokens">The tokens, without the end.</param>
/// <param name="LogProbability">ln of the chance of all of them and, where it was reached, the end.</param>
/// <param name="HasEnded">Whether the end was reached before the most tokens were.</param>
public sealed record DecodedSequence(IReadOnlyList<int> Tokens, double LogProbability, bool HasEnded);
