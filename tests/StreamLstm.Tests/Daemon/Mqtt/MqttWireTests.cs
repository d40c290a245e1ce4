using System.IO.Pipelines;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using StreamLstm.Daemon.Mqtt;

namespace StreamLstm.Tests.Daemon.Mqtt;

public sealed class MqttWireTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task Packets_of_all_sizes_come_through_byte_by_byte_and_all_at_once(MqttProtocolVersion version)
    {
        int[] sizes = [0, 1, 120, 130, 4_000, 20_000];
        var sent = new MemoryStream();
        var writing = new MqttWire(sent, 100_000, version);

        foreach (int size in sizes)
        {
            await writing.SendPacketAsync(new MqttPublishPacket { Topic = "a/b", PayloadSegment = new byte[size] }, Cancellation);
        }

        foreach (int step in (int[])[1, 7, 100_000])
        {
            var reading = new MqttWire(new Slow(sent.ToArray(), step), 100_000, version);
            List<int> read = [];

            while (await reading.ReceivePacketAsync(Cancellation) is MqttPublishPacket publication)
            {
                read.Add((int)publication.Payload.Length);
            }

            Assert.Equal(sizes, read);
        }
    }

    [Fact]
    public async Task A_larger_packet_than_allowed_is_refused_by_its_header()
    {
        var wire = new MqttWire(new MemoryStream([0x30, 0xFF, 0xFF, 0xFF, 0x7F]), 1_000, MqttProtocolVersion.V500);
        OversizePacketException larger = await Assert.ThrowsAsync<OversizePacketException>(() => wire.ReceivePacketAsync(Cancellation));
        Assert.Equal("a packet of 268435455 bytes, expected at most 1000", larger.Message);
        Assert.InRange(wire.BufferBytes, 1, 65_536);
    }

    [Fact]
    public async Task A_length_of_five_bytes_is_no_mqtt()
    {
        var wire = new MqttWire(new MemoryStream([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]), 1_000, MqttProtocolVersion.V500);
        await Assert.ThrowsAsync<MqttProtocolViolationException>(() => wire.ReceivePacketAsync(Cancellation));
    }

    /// <summary>Random bytes end in a packet, an end, or an exception that says the connection is lost.</summary>
    [Fact]
    public async Task Rubbish_never_ends_in_anything_but_a_lost_connection()
    {
        var random = new Random(1);

        for (int i = 0; i < 20_000; i++)
        {
            byte[] rubbish = new byte[random.Next(2, 60)];
            random.NextBytes(rubbish);
            rubbish[1] = (byte)random.Next(rubbish.Length);
            var wire = new MqttWire(new MemoryStream(rubbish), 1_000, i % 2 == 0 ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311);

            try
            {
                while (await wire.ReceivePacketAsync(Cancellation) is not null)
                {
                }
            }
            catch (Exception lost)
            {
                Assert.True(MqttConnection.IsLoss(lost), $"{lost.GetType()} of {Convert.ToHexString(rubbish)}");
            }
        }
    }

    /// <summary>Gives no more than a few bytes at a time.</summary>
    private sealed class Slow(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(step, buffer.Length)], cancellationToken);
    }
}
