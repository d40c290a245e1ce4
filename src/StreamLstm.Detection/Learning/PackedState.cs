namespace StreamLstm.Detection.Learning;

/// <summary>h and c of one layer as bytes, for windows of training to begin with.</summary>
/// <remarks>h lies in (-1, 1). c has no bound but is read through tanh, so c / (1 + |c|) is kept: fine near 0, coarse where tanh is flat.</remarks>
internal static class PackedState
{
    private const float CodeMax = sbyte.MaxValue;

    /// <summary>Packs h (half of the state), then c.</summary>
    public static void Pack(ReadOnlySpan<float> state, Span<sbyte> packed)
    {
        int cells = state.Length / 2;

        for (int i = 0; i < state.Length; i++)
        {
            float share = i < cells ? state[i] : state[i] / (1 + Math.Abs(state[i]));
            packed[i] = (sbyte)Math.Round(CodeMax * Math.Clamp(share, -1, 1));
        }
    }

    /// <summary>Gives back about what was packed.</summary>
    public static void Unpack(ReadOnlySpan<sbyte> packed, Span<float> state)
    {
        int cells = state.Length / 2;

        for (int i = 0; i < state.Length; i++)
        {
            // The last code stands for any c from 253 on: half a step less than 1 is what it comes from.
            float share = i < cells ? packed[i] / CodeMax : Math.Clamp(packed[i] / CodeMax, -1 + 0.5f / CodeMax, 1 - 0.5f / CodeMax);
            state[i] = i < cells ? share : share / (1 - Math.Abs(share));
        }
    }
}
