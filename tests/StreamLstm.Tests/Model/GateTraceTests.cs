using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

public sealed class GateTraceTests
{
    [Fact]
    public void The_gates_are_those_that_make_the_next_cell_state()
    {
        var shape = new LstmShape(2, 4, 1, 1);
        LstmWeights weights = WeightInitializer.Create(shape, 3);
        float[] inputs = Chance.Normal(new Random(1), 5 * 2), state = Chance.Normal(new Random(2), shape.StateSize);

        GateTrace trace = GateTrace.Of(weights, inputs, state);

        var stepped = (float[])state.Clone();
        var scratch = new LstmScratch(shape);
        float[] output = new float[1];

        for (int step = 0; step < trace.Steps; step++)
        {
            float[] before = [.. stepped];
            LstmNetwork.Step(weights, inputs.AsSpan(step * 2, 2), stepped, output, scratch);

            for (int cell = 0; cell < 4; cell++)
            {
                float c = trace.Cell.Span[step * 4 + cell], o = trace.Output.Span[step * 4 + cell], f = trace.Forget.Span[step * 4 + cell], i = trace.Input.Span[step * 4 + cell];
                Assert.Equal(stepped[4 + cell], c, 1e-5f);
                Assert.Equal(stepped[cell], o * MathF.Tanh(c), 1e-5f);

                // What was not kept of c came in, and no more than i of it: g lies between -1 and 1.
                Assert.InRange(Math.Abs(c - f * before[4 + cell]), 0, i + 1e-5f);
            }
        }
    }

    [Fact]
    public void A_stream_of_values_and_one_of_texts_show_theirs_and_change_nothing_by_it()
    {
        DetectionShard asked = Fed(ask: true), other = Fed(ask: false);

        Assert.Equal((24, 48 + 200 % 48), (asked.Gates("v")!.Cells, asked.Gates("v")!.Steps));
        Assert.Equal((64, "hello 199".Length + 1), (asked.Gates("t")!.Cells, asked.Gates("t")!.Steps));
        Assert.Null(asked.Gates("nobody"));
        Assert.Equal(Bytes(other), Bytes(asked));

        static DetectionShard Fed(bool ask)
        {
            var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(4, 4), 0, 1, new DetectionScratch());
            var output = new ShardOutput();

            for (int i = 0; i < 200; i++)
            {
                DateTimeOffset time = DateTimeOffset.UnixEpoch.AddSeconds(i);
                shard.Apply([new Observation("v", time, Math.Sin(0.3 * i)), Observation.Of("t", time, new TextEvent($"hello {i}") { IsCharacters = true })], time, BaseModel.Pretrained, output);

                if (ask)
                {
                    shard.Gates("v");
                    shard.Gates("t");
                }
            }

            return shard;
        }

        static byte[] Bytes(DetectionShard shard)
        {
            using var file = new MemoryStream();
            using var writer = new BinaryWriter(file);
            shard.Save(writer);
            return file.ToArray();
        }
    }
}
