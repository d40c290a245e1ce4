using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>A stack of LSTM layers with a linear output.</summary>
/// <remarks>
/// A stream's result is the same to the last bit whatever else is in the batch, wherever it stands in it, and however
/// wide the machine's vectors are: each output is one chain of fused multiply-adds in a fixed order.
/// </remarks>
public static class LstmNetwork
{
    /// <summary>Tiles ahead of the one at work whose states are called into the cache.</summary>
    private const int PrefetchTiles = 4;

    private static readonly int[] FirstRow = [0];

    /// <summary>One step of one stream. Allocates nothing.</summary>
    /// <param name="weights">Shared, not changed.</param>
    /// <param name="input">x (I).</param>
    /// <param name="state">Per layer h (R or H), then c (H): replaced by the state after the step.</param>
    /// <param name="output">V h + bias (O).</param>
    /// <param name="scratch">Buffers of the caller, of the weights' shape.</param>
    /// <exception cref="ArgumentException">A span has another length than the shape asks for, or the input is not finite.</exception>
    public static void Step(
        LstmWeights weights, ReadOnlySpan<float> input, Span<float> state, Span<float> output, LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Require(input.Length, weights.Shape.InputSize, nameof(input));
        Require(state.Length, weights.Shape.StateSize, nameof(state));
        Require(output.Length, weights.Shape.OutputSize, nameof(output));
        Step(weights, input, state, FirstRow, output, scratch);
    }

    /// <summary>One step of B streams that share weights, each with a state of its own somewhere in a slab. Allocates nothing.</summary>
    /// <param name="weights">Shared, not changed.</param>
    /// <param name="inputs">x of each stream (B, I).</param>
    /// <param name="states">The slab (N, StateSize): per row and layer h (R or H), then c (H).</param>
    /// <param name="rows">Each stream's row of the slab (B); no row twice.</param>
    /// <param name="outputs">V h + bias of each stream (B, O).</param>
    /// <param name="scratch">Buffers of the caller, of the weights' shape.</param>
    /// <exception cref="ArgumentException">A span has another length than the shape asks for, a row is not in the slab, or an input is not finite.</exception>
    public static void Step(
        LstmWeights weights,
        ReadOnlySpan<float> inputs,
        Span<float> states,
        ReadOnlySpan<int> rows,
        Span<float> outputs,
        LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(weights);
        LstmShape shape = weights.Shape;
        Step(shape, ref MemoryMarshal.GetReference(weights.Parameters), 4 * shape.HiddenSize, inputs, states, rows, outputs, scratch);
    }

    /// <summary>As above with packed weights: the faster, the larger H is; the same bits.</summary>
    /// <inheritdoc cref="Step(LstmWeights, ReadOnlySpan{float}, Span{float}, ReadOnlySpan{int}, Span{float}, LstmScratch)"/>
    public static void Step(
        PackedLstmWeights weights,
        ReadOnlySpan<float> inputs,
        Span<float> states,
        ReadOnlySpan<int> rows,
        Span<float> outputs,
        LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Step(weights.Shape, ref weights.First, PackedLstmWeights.BlockColumns, inputs, states, rows, outputs, scratch);
    }

    internal static void Require(int length, int expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{name} holds {length} values, expected {expected}", name);
        }
    }

    private static void Step(
        LstmShape shape,
        ref float parameters,
        int blockColumns,
        ReadOnlySpan<float> inputs,
        Span<float> states,
        ReadOnlySpan<int> rows,
        Span<float> outputs,
        LstmScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        Require(inputs.Length, rows.Length * shape.InputSize, nameof(inputs));
        Require(outputs.Length, rows.Length * shape.OutputSize, nameof(outputs));
        RequireRows(rows, states.Length / shape.StateSize);
        RequireFinite(inputs);

        if (!ReferenceEquals(scratch.Shape, shape) && scratch.Shape != shape)
        {
            throw new ArgumentException($"buffers for {scratch.Shape}, expected those for {shape}", nameof(scratch));
        }

        ref float slab = ref MemoryMarshal.GetReference(states);

        for (int tile = 0; tile < PrefetchTiles; tile++)
        {
            Prefetch(ref slab, shape.StateSize, rows, tile * LstmScratch.Rows);
        }

        for (int first = 0; first < rows.Length; first += LstmScratch.Rows)
        {
            int count = Math.Min(LstmScratch.Rows, rows.Length - first);
            Prefetch(ref slab, shape.StateSize, rows, first + PrefetchTiles * LstmScratch.Rows);
            StepTile(
                shape,
                ref parameters,
                blockColumns,
                ref Unsafe.Add(ref MemoryMarshal.GetReference(inputs), first * shape.InputSize),
                ref slab,
                rows.Slice(first, count),
                ref Unsafe.Add(ref MemoryMarshal.GetReference(outputs), first * shape.OutputSize),
                scratch);
        }
    }

    /// <summary>Up to a tile of streams through all layers, their states in the fastest cache all the while.</summary>
    private static void StepTile(
        LstmShape shape, ref float parameters, int blockColumns, ref float inputs, ref float slab, ReadOnlySpan<int> rows, ref float outputs,
        LstmScratch scratch)
    {
        int width = scratch.Width;
        int size = shape.HiddenSize, hiddenSize = shape.HiddenStateSize, gateCount = 4 * size;
        ref float layerInput = ref scratch.LayerInput.First;
        ref float gates = ref scratch.Gates.First;
        ref float cells = ref scratch.Cell.First;
        ref float cellOutput = ref scratch.CellOutput.First;

        // What the layer above, or the output, is fed with.
        ref float below = ref inputs;
        int belowSize = shape.InputSize;

        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            int steps = belowSize + hiddenSize;

            for (int r = 0; r < rows.Length; r++)
            {
                ref float row = ref Unsafe.Add(ref layerInput, r * steps);
                ref float state = ref Unsafe.Add(ref slab, (nint)rows[r] * shape.StateSize + layer * shape.LayerStateSize);
                Copy(ref Unsafe.Add(ref below, r * belowSize), ref row, belowSize);
                Copy(ref state, ref Unsafe.Add(ref row, belowSize), hiddenSize);
                Copy(ref Unsafe.Add(ref state, hiddenSize), ref Unsafe.Add(ref cells, r * size), size);
            }

            ref float bias = ref Unsafe.Add(ref parameters, steps * gateCount);

            for (int column = 0; column < gateCount; column += blockColumns)
            {
                int columns = Math.Min(blockColumns, gateCount - column);
                MatrixProduct.Run(
                    width, rows.Length, columns, steps, ref layerInput, steps, 1, ref Unsafe.Add(ref parameters, column * steps), columns,
                    start: ref Unsafe.Add(ref bias, column), startRow: 0, ref Unsafe.Add(ref gates, column), gateCount);
            }

            LstmCell.Step(width, rows.Length, size, ref gates, ref cells, ref cellOutput);

            for (int r = 0; r < rows.Length; r++)
            {
                ref float state = ref Unsafe.Add(ref slab, (nint)rows[r] * shape.StateSize + layer * shape.LayerStateSize);
                Copy(ref Unsafe.Add(ref cells, r * size), ref Unsafe.Add(ref state, hiddenSize), size);

                if (shape.ProjectionSize == 0)
                {
                    Copy(ref Unsafe.Add(ref cellOutput, r * size), ref state, size);
                }
            }

            below = ref cellOutput;
            belowSize = hiddenSize;

            if (shape.ProjectionSize > 0)
            {
                below = ref scratch.Projected.First;
                Project(shape, ref Unsafe.Add(ref bias, gateCount), layer, rows, ref slab, scratch);
            }

            parameters = ref Unsafe.Add(ref parameters, shape.LayerParameterCount(layer));
        }

        MatrixProduct.Run(
            width, rows.Length, shape.OutputSize, hiddenSize, ref below, hiddenSize, 1, ref parameters, shape.OutputSize,
            start: ref Unsafe.Add(ref parameters, hiddenSize * shape.OutputSize), startRow: 0, ref outputs, shape.OutputSize);
    }

    /// <summary>h = P (o∘tanh(c)), to the layer above and to the states.</summary>
    private static void Project(
        LstmShape shape, ref float projectionWeights, int layer, ReadOnlySpan<int> rows, ref float slab, LstmScratch scratch)
    {
        int size = shape.ProjectionSize;
        ref float projected = ref scratch.Projected.First;
        scratch.Projected.Span.Clear();
        MatrixProduct.Run(
            scratch.Width, rows.Length, size, shape.HiddenSize, ref scratch.CellOutput.First,
            shape.HiddenSize, 1, ref projectionWeights, size,
            start: ref projected, startRow: size, ref projected, size);

        for (int r = 0; r < rows.Length; r++)
        {
            ref float hidden = ref Unsafe.Add(ref slab, (nint)rows[r] * shape.StateSize + layer * shape.LayerStateSize);
            Copy(ref Unsafe.Add(ref projected, r * size), ref hidden, size);
        }
    }

    /// <summary>Copies a few floats; a call of the library costs more than the copy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(ref float source, ref float target, int count)
    {
        int i = 0;

        for (; i + 16 <= count; i += 16)
        {
            Lanes512.Store(Lanes512.Load(ref source, i), ref target, i);
        }

        for (; i + 4 <= count; i += 4)
        {
            Lanes128.Store(Lanes128.Load(ref source, i), ref target, i);
        }

        for (; i < count; i++)
        {
            Unsafe.Add(ref target, i) = Unsafe.Add(ref source, i);
        }
    }

    /// <summary>Calls the states of the tile that starts at <paramref name="first"/> into the cache: with a million streams they are not there.</summary>
    private static void Prefetch(ref float slab, int stateSize, ReadOnlySpan<int> rows, int first)
    {
        for (int r = first; r < Math.Min(first + LstmScratch.Rows, rows.Length); r++)
        {
            CacheLines.Fetch(ref Unsafe.Add(ref slab, (nint)rows[r] * stateSize), stateSize * sizeof(float));
        }
    }

    private static void RequireRows(ReadOnlySpan<int> rows, int count)
    {
        for (int r = 0; r < rows.Length; r++)
        {
            if ((uint)rows[r] >= (uint)count)
            {
                throw new ArgumentException($"rows[{r}] is {rows[r]}, expected 0 to {count - 1}", nameof(rows));
            }
        }
    }

    private static void RequireFinite(ReadOnlySpan<float> inputs)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            if (!float.IsFinite(inputs[i]))
            {
                throw new ArgumentException($"inputs[{i}] is {inputs[i]}, expected a finite number", nameof(inputs));
            }
        }
    }
}
