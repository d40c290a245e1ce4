using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;
using StreamLstm.Model.Heads;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>What the base network forecast for the rows to come, in a byte a bin for the next one and half a byte for the six after it; h and c.</summary>
internal struct SharedForecasts
{
    private const int Bins = QuantileBins.Count;
    private const int Ahead = 6;

    private const float FixedShare = 0.01f;

    private StateValues _state;
    private NextBins _next;
    private AheadBins _ahead;
    private float _trust1;
    private float _trust6;
    private byte _steps;

    [InlineArray(48)]
    private struct StateValues
    {
        private float _first;
    }

    [InlineArray(Bins)]
    private struct NextBins
    {
        private byte _first;
    }

    [InlineArray(Ahead * Bins / 2)]
    private struct AheadBins
    {
        private byte _first;
    }

    /// <summary>Whether there is a forecast for the present row.</summary>
    public readonly bool HasNext => _steps >= 1;

    /// <summary>Whether there is one of six rows before.</summary>
    public readonly bool HasAhead => _steps >= Ahead;

    /// <summary>h and c: (state).</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public Span<float> State => _state;

    /// <summary>Forgets h, c and what was forecast.</summary>
    public void Reset()
    {
        ((Span<float>)_state).Clear();
        (_steps, _trust1, _trust6) = (0, 0.5f, 0.5f);
    }

    /// <summary>Holds the present row's value against what was forecast for it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="place">Where its value lies in the sample.</param>
    /// <param name="sample">What the bins are bins of.</param>
    /// <param name="mixture">(bins): what the row before forecast, afterwards.</param>
    /// <param name="trust">What <see cref="Trust"/> takes where the value may teach.</param>
    /// <returns>Its tails; null where there was no forecast.</returns>
    public (Tail? Next, Tail? Ahead) Judge(long row, in Place place, in SharedSample sample, Span<float> mixture, out (float Next, float Ahead) trust)
    {
        const int MovesKnown = 64;
        Tail? next = null, ahead = null;
        trust = (_trust1, _trust6);

        if (HasAhead)
        {
            ForecastCodes.OfTheHalves(AheadOf(row), mixture);
            trust.Ahead = Mix(mixture, _trust6, place.Bin);
            ahead = sample.TailOf(mixture, place, MovesKnown);
        }

        if (HasNext)
        {
            ForecastCodes.OfBytes(_next, mixture);
            trust.Next = Mix(mixture, _trust1, place.Bin);
            next = sample.TailOf(mixture, place, MovesKnown);
        }

        return (next, ahead);
    }

    /// <summary>Trusts network and sample as the value just judged says.</summary>
    public void Trust((float Next, float Ahead) trust) => (_trust1, _trust6) = trust;

    /// <summary>Takes the state after a step and the logits of every horizon; false where they are not finite.</summary>
    /// <param name="row">The row that was stepped over.</param>
    /// <param name="state">(state).</param>
    /// <param name="logits">(horizons, bins): overwritten.</param>
    public bool Stepped(long row, ReadOnlySpan<float> state, Span<float> logits)
    {
        foreach (float value in state)
        {
            if (!float.IsFinite(value))
            {
                Reset();
                return false;
            }
        }

        state.CopyTo(_state);
        _steps = (byte)Math.Min(_steps + 1, Ahead);
        Span<float> next = logits[..Bins], ahead = logits.Slice(Bins, Bins);
        ForecastHead.Softmax(next, next);
        ForecastHead.Softmax(ahead, ahead);

        ForecastCodes.ToBytes(next, _next);
        ForecastCodes.ToHalves(ahead, AheadOf(row));
        return true;
    }

    public readonly void Save(BinaryWriter writer)
    {
        SharedForecasts me = this;
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<SharedForecasts>(ref me)));
    }

    public void Load(BinaryReader reader) =>
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new Span<SharedForecasts>(ref this)));

    /// <summary>What was forecast six rows before a row, or takes its place.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private Span<byte> AheadOf(long row) => ((Span<byte>)_ahead).Slice((int)(row % Ahead) * Bins / 2, Bins / 2);

    /// <summary>Mixes the network's probabilities with the sample's; the trust after this value, by Bayes.</summary>
    private static float Mix(Span<float> network, float trust, int bin)
    {
        float sum = 0;

        foreach (float probability in network)
        {
            sum += probability;
        }

        ReadOnlySpan<float> marginal = SharedSample.Marginal;
        float byNetwork = trust * network[bin] / sum, byMarginal = (1 - trust) * marginal[bin];

        for (int b = 0; b < Bins; b += 8)
        {
            (trust * Vector256.Create(network.Slice(b, 8)) / sum + (1 - trust) * Vector256.Create(marginal.Slice(b, 8))).CopyTo(network[b..]);
        }

        float after = byNetwork + byMarginal > 0 ? byNetwork / (byNetwork + byMarginal) : 0.5f;
        return (1 - FixedShare) * after + FixedShare * 0.5f;
    }
}
