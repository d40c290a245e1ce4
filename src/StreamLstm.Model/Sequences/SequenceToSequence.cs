using StreamLstm.Model.Heads;

namespace StreamLstm.Model.Sequences;

/// <summary>Reads one sequence into the state of an LSTM, and writes another one from it (Sutskever, Vinyals and Le 2014).</summary>
/// <remarks>
/// The encoder's h and c after its last token are those that the decoder begins with; what is written is fed back, so that each
/// token is chosen knowing those before it. There is no attention: all that is known of the source went through that one state.
/// </remarks>
public sealed class SequenceToSequence
{
    private readonly LstmScratch _encoderScratch;
    private readonly LstmScratch _decoderScratch;

    /// <summary>Networks that have learnt nothing: the same for the same seed.</summary>
    public SequenceToSequence(SequenceToSequenceShape shape, ulong seed)
        : this(
            shape,
            WeightInitializer.Create(shape?.Encoder ?? throw new ArgumentNullException(nameof(shape)), seed),
            WeightInitializer.Create(shape.Decoder, seed + 1))
    {
    }

    /// <summary>Networks with weights, as they were kept.</summary>
    /// <exception cref="ArgumentException">Weights are of another shape, or not finite.</exception>
    public SequenceToSequence(SequenceToSequenceShape shape, LstmWeights encoder, LstmWeights decoder)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);

        if (encoder.Shape != shape.Encoder || decoder.Shape != shape.Decoder)
        {
            throw new ArgumentException($"weights of {encoder.Shape} and {decoder.Shape}, expected {shape.Encoder} and {shape.Decoder}");
        }

        encoder.RequireFinite();
        decoder.RequireFinite();
        (Shape, Encoder, Decoder) = (shape, encoder, decoder);
        (_encoderScratch, _decoderScratch) = (new LstmScratch(shape.Encoder), new LstmScratch(shape.Decoder));
    }

    /// <summary>The sizes.</summary>
    public SequenceToSequenceShape Shape { get; }

    /// <summary>The weights that read.</summary>
    public LstmWeights Encoder { get; }

    /// <summary>The weights that write.</summary>
    public LstmWeights Decoder { get; }

    /// <summary>Writes the likeliest token each time.</summary>
    /// <param name="source">Tokens to read; one at least.</param>
    /// <param name="tokensMax">Tokens to write at most.</param>
    /// <exception cref="ArgumentException">The source is empty or holds another number than a token's.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one token may be written.</exception>
    public DecodedSequence Greedy(IReadOnlyList<int> source, int tokensMax) => Beam(source, tokensMax, width: 1);

    /// <summary>Follows the likeliest beginnings side by side, and gives the likeliest that came to its end.</summary>
    /// <param name="source">Tokens to read; one at least.</param>
    /// <param name="tokensMax">Tokens to write at most.</param>
    /// <param name="width">Beginnings that are followed: 1 is <see cref="Greedy"/>.</param>
    /// <returns>By ln of its chance; where none came to its end, the likeliest that did not.</returns>
    /// <exception cref="ArgumentException">The source is empty or holds another number than a token's.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one token may be written, or fewer than one beginning is followed.</exception>
    public DecodedSequence Beam(IReadOnlyList<int> source, int tokensMax, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        int outputs = Shape.Decoder.OutputSize;
        List<Beginning> open = [new Beginning([], 0, Encode(source))];
        DecodedSequence? best = null;

        for (int step = 0; step < tokensMax + 1 && open.Count > 0; step++)
        {
            var candidates = new List<(double LogProbability, int From, int Token)>();

            for (int from = 0; from < open.Count; from++)
            {
                float[] chances = Step(open[from]);

                for (int token = 0; token < outputs; token++)
                {
                    candidates.Add((open[from].LogProbability + Math.Log(Math.Max(chances[token], float.Epsilon)), from, token));
                }
            }

            // Of equal ones the first: nothing depends on how a sort treats them.
            List<Beginning> next = [];

            foreach ((double logProbability, int from, int token) in candidates.OrderByDescending(one => one.LogProbability).ThenBy(one => one.From).ThenBy(one => one.Token).Take(width))
            {
                if (token == Shape.Boundary)
                {
                    best = best is null || logProbability > best.LogProbability ? new DecodedSequence(open[from].Tokens, logProbability, HasEnded: true) : best;
                }
                else if (step < tokensMax)
                {
                    next.Add(new Beginning([.. open[from].Tokens, token], logProbability, [.. open[from].State]));
                }
            }

            if (next.Count == 0 && best is null)
            {
                return new DecodedSequence(open[0].Tokens, open[0].LogProbability, HasEnded: false);
            }

            // What is less likely than what has ended can only become less likely.
            open = [.. next.Where(beginning => best is null || beginning.LogProbability > best.LogProbability)];
        }

        return best!;
    }

    /// <summary>h and c of the encoder after a source: (StateSize).</summary>
    private float[] Encode(IReadOnlyList<int> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Require(source, Shape.SourceTokens, "source");

        if (source.Count == 0)
        {
            throw new ArgumentException("the source is empty, expected one token or more", nameof(source));
        }

        var state = new float[Shape.Encoder.StateSize];
        var input = new float[Shape.SourceTokens];
        Span<float> unused = stackalloc float[1];

        foreach (int token in source)
        {
            input[token] = 1;
            LstmNetwork.Step(Encoder, input, state, unused, _encoderScratch);
            input[token] = 0;
        }

        return state;
    }

    /// <summary>Feeds a beginning's last token, and gives the chances of the next.</summary>
    private float[] Step(Beginning beginning)
    {
        var input = new float[Shape.Decoder.InputSize];
        var chances = new float[Shape.Decoder.OutputSize];
        input[beginning.Tokens.Count == 0 ? Shape.Boundary : beginning.Tokens[^1]] = 1;
        LstmNetwork.Step(Decoder, input, beginning.State, chances, _decoderScratch);
        float[] logits = [.. chances];
        ForecastHead.Softmax(logits, chances);
        return chances;
    }

    /// <summary>Refuses what is no token, by its place.</summary>
    internal static void Require(IReadOnlyList<int> tokens, int kinds, string name)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            if ((uint)tokens[i] >= (uint)kinds)
            {
                throw new ArgumentException($"{name}[{i}] is {tokens[i]}, expected a token from 0 to {kinds - 1}", name);
            }
        }
    }

    /// <summary>What has been written so far, and h and c behind it.</summary>
    private sealed record Beginning(List<int> Tokens, double LogProbability, float[] State);
}
