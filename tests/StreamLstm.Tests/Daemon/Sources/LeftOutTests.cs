using System.Text;
using StreamLstm.Decoding;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sources;

/// <summary>Fields that become no observations: each is counted, and the first of each is kept with the record that it was in.</summary>
public sealed class LeftOutTests
{
    private readonly CaughtIntake _caught = new();
    private readonly Decoded _decoded = new(new IngestStamp(TimeProvider.System));

    [Fact]
    public void The_first_of_each_field_and_reason_is_a_dead_letter_with_topic_and_payload_and_all_are_counted()
    {
        Come("plant/a", """{"temp":1,"state":"idle","note":null}""");
        Come("plant/b", """{"temp":2,"state":"busy","note":"x"}""");
        Come("plant/b", """{"temp":3,"state":"idle"}""");

        Assert.Equal(
            [
                ("mqtt", LeftOutReason.Text, """topic plant/a: state: "idle", expected a number or a state such as on, off, open, closed""", """{"temp":1,"state":"idle","note":null}"""),
                ("mqtt", LeftOutReason.Missing, "topic plant/a: note: null, no value", """{"temp":1,"state":"idle","note":null}"""),
                ("mqtt", LeftOutReason.Text, """topic plant/b: note: "x", expected a number or a state such as on, off, open, closed""", """{"temp":2,"state":"busy","note":"x"}"""),
            ],
            _caught.Letters.LeftOut);
        Assert.Equal([(LeftOutReason.Text, 4L), (LeftOutReason.Missing, 1L)], _caught.Ledger.LeftOut().Select(left => (left.Reason, left.Count)));
        Assert.True(_caught.Ledger.Cut().Balances);
    }

    [Fact]
    public void What_is_kept_is_bounded_and_the_count_goes_on()
    {
        for (int record = 0; record < 200; record++)
        {
            Come("plant/a", $"{{{string.Join(',', Enumerable.Range(0, 64).Select(field => $"\"f{record}-{field}\":\"x\""))},\"v\":1}}");
        }

        Assert.Equal(10_000, _caught.Letters.LeftOut.Count);
        Assert.Equal(12_800, Assert.Single(_caught.Ledger.LeftOut()).Count);
    }

    private void Come(string topic, string payload)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(payload);
        new PayloadDecoder(PayloadFormat.Auto, PayloadRules.Default, []).Decode(topic, "", bytes, _decoded);
        _caught.Intake.LeaveOut("mqtt", _decoded.LeftOut, $"topic {topic}", bytes);
    }
}
